"""Synthetic speech and faces: what the bundled benchmark and the training examples are made of.

Needs the extra ``[synth]`` for everything that speaks; scoring imports it only for words of a benchmark that has no
list. Languages are ISO 639-3 codes, times are seconds, sound is float32, mono at 16 kHz.

Contents
--------
========================= ==========================================================================================
``articulation``          Articulation model: timed phones to facial-unit curves of the bundled head
``articulation_settings`` Manners of articulation: animators that speak the same phones differently
``articulation_targets``  Articulatory targets: what each phone asks of jaw, lips and tongue, and how strongly
``benchmark_writer``      Writing a synthetic benchmark's folder: clips, manifest, and a folder that appears whole
                          or not at all
``blending``              Blending: what neighbouring phones ask of the articulators becomes one smooth movement
``build``                 The bundled benchmark ``openhead-20``: speech, lexicons, ground-truth motion and noises in
                          one folder
``build_engines``         The bundled benchmark ``openhead-engines``: sentences of ``openhead-20`` in the voices of
                          held-out engines
``contacts``              Contacts: closed lips (p b m), lower lip at the upper teeth (f v); they hold whatever the
                          neighbours want
``engine_parts``          Which clips of ``openhead-engines`` ship, and which are for choosing and which for testing
``engine_phones``         From the phone sets of held-out engines to the inventory: one table and one set of rules
                          per phone set
``engine_segments``       What a held-out engine says that it spoke: its own phones with their times, before they
                          are mapped to ours
``engine_terms``          Under which terms the held-out voices speak, and whose sound ships with the package
``engines``               Held-out speech engines: voices that training never hears, speaking the way espeak's do
                          here
``espeak``                Speech with timed phones from espeak-ng, through its C interface
``espeak_segments``       From the events of espeak-ng to phones and words in time
``face_mesh``             A face mesh as the transfer of facial units sees it: skin, the lips' insides, and which
                          lip is which
``festival``              Speech with timed phones from festival's voices, each utterance by a process of its own
``flite``                 Speech with timed phones from flite's American voices, through its C libraries
``frontends``             From written text to pairs of written word and spoken form, by language
``lexicon_builder``       Lexicons of the bundled benchmark, from the engine's own pronunciations
``lip_measures``          Lip measures: how far the lips are apart, how wide the mouth is, how far it is pushed
                          forward, frame by frame
``lip_report``            Lip statistics side by side: a table in Markdown, a file of numbers, a plot
``lip_sources``           Whose lips are measured: a benchmark's ground truth, files of motion, or a model that says
                          a benchmark's phones
``lip_statistics``        Lip statistics: how much, how fast and how alike lips move over many clips; contacts per
                          second
``noise_builder``         The bundled noises: babble, speech-shaped noise and something like music
``occurrences``           Occurrences: what one sound asks of the articulators this time, drawn anew whenever it is
                          said
``open_words``            Open vocabulary: the commonest words of a language with pronunciations, for speech that
                          brings no word list
``phones``                The phone inventory: base IPA letters that the twenty languages share
``real_speech``           Seven sentences spoken by people, from the GRID corpus: how well a recognizer hears a
                          human
``speaking_styles``       Speaking styles: how somebody moves, and how much each sound differs from the last time it
                          was said
``speech``                Random utterances for training: text, voice and speech in one call
``texts``                 Texts to speak: the Universal Declaration of Human Rights in twenty languages, and word
                          lists
``transcripts``           From a transcript as people write it to words and what the engine is given to say them
``transfer``              Correspondence between the bundled head and another face mesh: which point of the one is
                          which of the other
``transferred_head``      The bundled head's facial units on another face: the user's FLAME template
``truth_manners``         In which manner or style a benchmark's ground truth was animated, and animating its phones
                          in that one or another
``upper_face``            Blinks and brows: motion of the upper face that speech doesn't determine
``utterances``            What an engine said: sound with its phones and words in time
``varied_articulation``   Varied articulation: timed phones to facial-unit curves with the lip statistics of people
``voices``                Who speaks: engine voices of the twenty languages, and speakers for training, test and
                          noise
``word_lists``            Word lists and reference phones for recordings of one's own
========================= ==========================================================================================

Examples
--------
>>> from mtbench.synth import PHONES
>>> "ŋ" in PHONES
True
"""

from __future__ import annotations

from mtbench.doors import open_door

__getattr__, __dir__, __all__ = open_door(__name__, __file__)
