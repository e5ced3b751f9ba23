"""Sound, noise, texts and languages.

Sound is (N,) float32, mono at 16 kHz, within -1..1; languages are ISO 639-3 codes.

Contents
--------
======================= ===============================================================================================
``audio``               Sound as samples: resampling, mixing with noise, 16-bit values
``language_names``      Languages in whatever way people write them: codes of several standards, tags with regions,
                        names
``languages``           Codes and names of languages: what people write, what files hold, what tables show
``lexicon``             Lexicons: the words that may be said, how they are pronounced, and how common they are
``loudness``            Loudness as ears weigh it, and sounds brought to the same
``manner_classes``      Classes of phones by manner of articulation: what the ear tells apart, beside the viseme
                        classes of the eye
``multitalk_languages`` The twenty languages of the MultiTalk dataset, by ISO 639-3 code
``noise``               Noise recordings: where they come from, and which part of one a clip gets
``normalizers``         Text normalization and tokenisation before error rates are counted
``published_mixing``    Mixing speech with noise as published evaluations do, sample by sample
``published_noises``    Noise recordings that published evaluations were made with, and that cannot ship
``raw_sound``           Sound as its file has it, and the bounds of what is read
``romanization``        Texts of any script in roman letters, by uroman: what recognizers that write roman letters are
                        compared with
``sound_conversion``    From sound as its file has it to mono at 16 kHz, with a note on everything that was changed or
                        is odd
``sound_files``         Reading sound and video files: to mono at 16 kHz, with a note on everything that was changed or
                        is odd
``sound_headers``       What the header of a sound file promises, and whether the file keeps it
``timed_phones``        What a phone in time is, whoever says so: a file of a benchmark, a motion bank, a speech engine
``transcripts``         The words of a clip, from the text file beside it
``video_sound``         The sound of a video, on the picture's clock
``viseme_classes``      Classes of phones that look alike: used for substitutions and confusions
``writing``             How languages are written: from which side, and by which tag pages name them
======================= ===============================================================================================

Examples
--------
>>> from mtbench.speech import get_normalizer, language_code
>>> language_code("Deutsch")
'deu'
>>> get_normalizer("uni-v1")("Don't stop!", "eng")
"don't stop"
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
