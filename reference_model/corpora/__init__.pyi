from .corpus import Corpus as Corpus
from .corpus import open_corpus as open_corpus
from .generated import CORPUS_VERSION as CORPUS_VERSION
from .generated import MANIFEST as MANIFEST
from .generated import GeneratedCorpus as GeneratedCorpus
from .generated import generate_corpus as generate_corpus
