"""docs/phones.md says what the code has: the inventory, its examples, and what occurs in each language."""

import json
import re
from pathlib import Path

import pytest

from mtbench.benchmarks.benchmark import load_benchmark
from mtbench.speech.languages import language_code
from mtbench.speech.lexicon import load_lexicon
from mtbench.speech.multitalk_languages import LANGUAGES
from mtbench.synth.phones import _NEIGHBOURS, INVENTORY, PHONES, normalize

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "phones.md").read_text("utf-8")
ROWS = re.findall(r"^\| `(.)` \| ([^|]+) \| ([^|]+) \|$", TEXT, re.MULTILINE)


@pytest.fixture(scope="module")
def lexicons():
    bundled = load_benchmark("openhead-20")
    return {code: bundled.lexicon(code) for code in LANGUAGES}


def test_the_inventory_is_the_codes_and_the_recognizers():
    assert tuple(phone for phone, _, _ in ROWS) == PHONES
    assert len({sound for _, sound, _ in ROWS}) == len(PHONES)
    assert f"{len(PHONES)} in all (inventory `{INVENTORY}`)" in TEXT
    weights = json.loads((ROOT / "avsr" / "weights" / "openhead-av-1.json").read_text("utf-8"))
    assert tuple(weights["phones"]) == PHONES
    assert dict(re.findall("`(.)` → `(.)`", TEXT)) == _NEIGHBOURS


def test_every_example_is_in_its_bundled_list(lexicons):
    for phone, _, examples in ROWS:
        found = re.findall(r"(\w+) \*(\S+)\* `([^`]+)`", examples)
        assert found, phone
        assert len(found) == examples.count("*") // 2
        for language, word, phones in found:
            lexicon = lexicons[language_code(language)]
            said = lexicon.pronunciations[lexicon.words.index(word)]
            assert tuple(phones.split()) in said
            assert phone in phones.split()


def test_phones_by_language(lexicons):
    rows = dict(re.findall(r"^\| \w+ \| `(\w{3})` \| ([^|]+) \|$", TEXT, re.MULTILINE))
    assert list(rows) == list(LANGUAGES)
    for code, phones in rows.items():
        assert tuple(phones.split()) == tuple(p for p in PHONES if p in lexicons[code].phones)


def test_what_is_said_about_marks_is_what_is_done():
    rules = {
        "ˈtʃaɪ": "t ʃ a ɪ", "ɑ̃": "ɑ", "n̩": "n", "t̪": "t", "tʲ": "t", "kʷ": "k", "pʰ": "p h", "aː": "a", "ts": "t s",
        "r̝": "r ʒ", "r̝̊": "r ʃ",
    }  # fmt: skip
    assert {text: " ".join(normalize(text)) for text in rules} == rules
    assert normalize("i.", "cmn") == ("ɨ",)
    for text in ("ɑ̃", "n̩", "t̪", "tʲ", "kʷ", "pʰ"):
        assert f"`{text}` is `{rules[text]}`" in TEXT


def test_the_example_of_a_list_is_read(tmp_path):
    block = re.search(r"```\n(# comment\n.*?)```", TEXT, re.DOTALL)
    file = tmp_path / "deu.tsv"
    file.write_text(block[1], "utf-8")
    found = load_lexicon(file)
    assert found.phones <= set(PHONES)
    assert found.words == ("zwei", "ein")
    assert len(found.pronunciations[0]) == 2
    assert found.counts == (3, 5)
