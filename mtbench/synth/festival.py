"""Speech with timed phones from festival's voices, each utterance by a process of its own.

Conventions
-----------
See :mod:`mtbench.synth.engine_segments`. The engine is the program ``festival`` 2.5 of Debian with its voice
packages; it is told what to do by a Scheme file and answers with a sound file and a line per segment. Users'
start files are kept away, so that the same text and voice give the same samples on every machine with the same
packages. A process takes about half a second to start.

Only ever used for testing: nothing is trained on these voices.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from mtbench.errors import PrerequisiteError, UsageError
from mtbench.speech import load_sound
from mtbench.synth.engine_segments import Recording, join_ends

#: Where Debian puts the voices, one folder a voice below a folder a language.
VOICE_FOLDER = Path("/usr/share/festival/voices")
#: Rules of the language that a voice reads by, where its package does not bring them in: a folder beside the voices.
_RULES = {"hindi_NSK_diphone": "hindi_scm"}

#: Seconds after which a process is given up; it needs two where nothing else runs.
_SECONDS = 600
_ROW = "mtbench-segment"

# Tokens are numbered from 1, because a path that leads nowhere gives 0.
# The Hindi voice leaves the intonation method as it finds it and fails where there is none.
_PROGRAM = """
(Parameter.set 'Int_Method nil)
(voice_{voice})
(set! utterance (utt.synth (Utterance Text "{text}")))
(set! number 0)
(set! token (utt.relation.first utterance 'Token))
(while token
  (set! number (+ 1 number))
  (item.set_feat token "mtbench_number" number)
  (set! token (item.next token)))
(mapcar
  (lambda (segment)
    (format t "{row}\\t%s\\t%f\\t%s\\t%s\\n"
      (item.name segment)
      (item.feat segment "end")
      (item.feat segment "R:SylStructure.parent.stress")
      (item.feat segment "R:SylStructure.parent.parent.R:Token.parent.mtbench_number")))
  (utt.relation.items utterance 'Segment))
(utt.save.wave utterance "speech.wav" 'riff)
"""


def find_festival() -> Path | None:
    """Return the program, or None where it is not installed."""
    found = shutil.which("festival")
    return None if found is None else Path(found)


def has_festival_voice(name: str) -> bool:
    """Return whether program and voice are there, and the rules of the language that the voice reads by."""
    ruled = name not in _RULES or (VOICE_FOLDER.parent / _RULES[name]).is_dir()
    return ruled and find_festival() is not None and any(VOICE_FOLDER.glob(f"*/{name}"))


def speak_festival(text: str, voice: str, encoding: str) -> Recording:
    """Speak *text*.

    Parameters
    ----------
    text : str
        Plain text.
    voice : str
        The engine's name of the voice, e.g. ``"czech_ph"``.
    encoding : str
        Encoding of the text that the voice reads.

    Returns
    -------
    Recording
        The same for the same arguments.

    Raises
    ------
    PrerequisiteError
        Where program or voice are not installed.
    UsageError
        Where the text cannot be written in the voice's encoding, or the engine fails.
    """
    program = find_festival()
    if program is None or not has_festival_voice(voice):
        raise PrerequisiteError(
            f"festival's voice {voice!r} is not installed (looked for the program 'festival' and below "
            f"{VOICE_FOLDER}); on Debian: apt-get install festival and the voice's festvox- package"
        )
    quoted = text.replace("\\", " ").replace('"', " ")
    source = _PROGRAM.format(voice=voice, text=quoted, row=_ROW)
    try:
        data = source.encode(encoding)
    except UnicodeEncodeError as e:
        raise UsageError(
            f"festival's voice {voice!r} reads {encoding}, which has no {text[e.start : e.end]!r}: {text[:60]!r}"
        ) from e
    with tempfile.TemporaryDirectory(prefix="mtbench-festival-") as folder:
        Path(folder, "speak.scm").write_bytes(data)
        # A user's .festivalrc may change voices; the locale may change how bytes are read.
        environment = {**os.environ, "HOME": folder, "LC_ALL": "C"}
        try:
            done = subprocess.run(
                [program, "-b", "speak.scm"],
                cwd=folder,
                env=environment,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as e:
            raise UsageError(
                f"festival's voice {voice!r} did not finish {text[:60]!r} within {_SECONDS} s; try a shorter text"
            ) from e
        wave = Path(folder, "speech.wav")
        if done.returncode or not wave.is_file():
            told = (
                done.stderr.decode("utf8", "replace").strip() or done.stdout.decode("utf8", "replace").strip()
            )
            raise UsageError(f"festival's voice {voice!r} could not say {text[:60]!r}: {told[-300:]}")
        # Some voices go a little beyond full scale; whoever uses the sound sets its level.
        audio = load_sound(wave).samples
    rows = []
    for line in done.stdout.decode("latin-1").splitlines():
        fields = line.split("\t")
        if fields[0] == _ROW:
            _, name, end, stress, number = fields
            rows.append((name, float(end), stress == "1", int(float(number)) - 1))
    return Recording(audio, join_ends(rows))
