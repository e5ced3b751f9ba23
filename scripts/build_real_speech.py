"""Build ``mtbench/data/grid`` from recordings of the GRID corpus.

Usage
-----
``python scripts/build_real_speech.py SOURCE [OUT]``: SOURCE is a folder of ``.mpg`` files whose names spell their
sentences. Needs the extras ``[video]`` and ``[synth]``. The same packages give the same bytes.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from mtbench.files import format_toml
from mtbench.speech.lexicon import make_lexicon, write_lexicon
from mtbench.speech.sound_files import load_audio
from mtbench.synth.benchmark_writer import write_flac, write_manifest
from mtbench.synth.espeak import Espeak
from mtbench.synth.phones import INVENTORY
from mtbench.synth.real_speech import FOLDER, GRAMMAR, LANGUAGE, NAME, VERSION, spell_out
from mtbench.synth.voices import Voice
from mtbench.timing import SAMPLE_RATE, SAMPLES_PER_FRAME

#: Words that the engine reads otherwise than the speakers of the corpus: the letter a, which it takes for the article.
SPOKEN = {"a": "eigh"}
SPEAKER = "m1"

ATTRIBUTION = """Seven recordings of the GRID audiovisual sentence corpus

M. Cooke, J. Barker, S. Cunningham, X. Shao: An audio-visual corpus for speech perception and automatic speech
recognition. Journal of the Acoustical Society of America 120 (2006), 2421-2424. https://doi.org/10.1121/1.2229005
https://zenodo.org/records/3625687; these seven as redistributed in https://github.com/rizkiarm/LipNet

Licence: Creative Commons Attribution 4.0 International, https://creativecommons.org/licenses/by/4.0/legalcode

Changes: sound only, mono, resampled to 16 kHz, FLAC, attenuated where resampling would clip. Transcripts follow from
the files' names; reference phones and the lexicon are espeak-ng's reading of the transcripts, not a transcription of
what was said.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="folder of .mpg files")
    parser.add_argument("out", nargs="?", type=Path, default=FOLDER, help=f"folder (default {FOLDER})")
    arguments = parser.parse_args()
    build(arguments.source, arguments.out)


def build(source: Path, out: Path) -> None:
    engine, voice = Espeak(), Voice(LANGUAGE, SPEAKER)
    videos = sorted(source.glob("*.mpg"))
    if not videos:
        raise SystemExit(f"{source}: no .mpg files there")
    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    (part / "audio").mkdir(parents=True)
    tables = []
    for video in videos:
        words = spell_out(video.stem)
        audio = load_audio(video)
        audio = audio / max(1.0, float(abs(audio).max()) / 0.98)
        write_flac(part / "audio" / f"{video.stem}.flac", audio)
        fields = {
            "id": video.stem,
            "language": LANGUAGE,
            "transcript": " ".join(words),
            "audio": f"audio/{video.stem}.flac",
            "frames": -(-len(audio) // SAMPLES_PER_FRAME),
            "phones": " ".join(engine.speak(" ".join(SPOKEN.get(w, w) for w in words), voice).symbols),
        }
        tables.append(f"\n[[clips]]\n{format_toml(fields)}")
    vocabulary = sorted({word for table in GRAMMAR for word in table.values()})
    rows = [(word, engine.speak(SPOKEN.get(word, word), voice).symbols, 0) for word in vocabulary]
    write_lexicon(make_lexicon(rows), part / f"{LANGUAGE}.tsv")
    head = {
        "schema": 1,
        "name": NAME,
        "version": VERSION,
        "fps": 25,
        "sample_rate": SAMPLE_RATE,
        "title": "Seven recordings of the GRID corpus",
        "license": "CC-BY-4.0",
        "notes": f"Phones: base IPA letters ({INVENTORY}), espeak-ng's reading of the transcripts. The lexicon holds "
        "the corpus's 51 words, equally likely.",
    }
    write_manifest(part, head, {LANGUAGE: f"{LANGUAGE}.tsv"}, tables)
    (part / "ATTRIBUTION.txt").write_text(ATTRIBUTION, encoding="utf8", newline="\n")
    shutil.rmtree(out, ignore_errors=True)
    part.replace(out)
    print(f"{out}: {sum(p.stat().st_size for p in out.rglob('*') if p.is_file()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
