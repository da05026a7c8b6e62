"""Mappings in TOML: what they say is taken as it stands, and all that is wrong with one is said at once."""

from dataclasses import replace

import pytest

from harness.errors import CohortError
from harness.importing import Score, Visit, import_table, read_mapping
from harness.scoring import GAD7, MADRS

GOOD = """
[import]
shape = "long"
subject = "id"
visit = "visit"
missing = ["NA", -9]
repairs = ["strip"]

[import.dating]
date = "date"

[import.visits]
first = { named = ["a", "b"], infusion = 1 }
later = { named = "c", follow_up = [7, 3], day = 7 }

[import.scores.madrs]
items = "madrs_{item:02}"

[import.scores.anxiety]
instrument = "gad7"
total = "gad"

[import.scores.other]
total = "bdi"
range = [0, 63]

[import.covariates.sex]
source = "sex"
levels = { F = ["1", "f"], M = "2" }
"""


@pytest.fixture
def read(write):
    return lambda text: read_mapping(write(text, "clinic.toml"))


@pytest.fixture
def unread(read):
    """Return the problems of a mapping that can't be read, as sentences."""

    def problems_of(text):
        with pytest.raises(CohortError) as caught:
            read(text)
        return [str(problem) for problem in caught.value.problems]

    return problems_of


def test_a_mapping_says_what_its_file_says(read):
    mapping = read(GOOD)
    assert mapping.name == "clinic"
    assert mapping.missing == ("NA", -9.0)
    assert mapping.visits == (
        Visit(name="first", named=("a", "b"), infusion=1),
        Visit(name="later", named=("c",), follow_up=(7.0, 3.0), day=7.0),
    )
    madrs, anxiety, other = mapping.scores
    assert madrs.scale == MADRS
    assert madrs.items[0] == "madrs_01"
    assert madrs.items[9] == "madrs_10"
    assert anxiety.scale == GAD7
    assert (other.scale, other.total_range) == (None, (0.0, 63.0))
    assert mapping.covariates[0].levels == {"F": ("1", "f"), "M": ("2",)}
    assert mapping.confirmed


def test_a_scale_can_come_from_its_own_file(read, write):
    write('name = "calm"\n[items]\nnames = ["a", "b"]\nrange = [1, 4]\n', "calm.toml")
    score = '[import.scores.calm]\ninstrument = "calm.toml"\nitems = "q{item}"\n'
    (calm,) = read(GOOD[: GOOD.index("[import.scores")] + score).scores
    assert (calm.items, calm.total_range) == (("q1", "q2"), (2, 8))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('shape = "long"', 'shape = "broad"', "line 3: shape 'broad'; expected one of long, wide, redcap."),
        ('subject = "id"', "", "line 2: no `subject` in [import]; expected one."),
        ('visit = "visit"', "", "a long file without `visit`; expected the column of the visits."),
        ("infusion = 1", "infusion = 0", "line 13: infusion = 0; expected a whole number from 1 on."),
        ("infusion = 1", "infusion = 2", "infusions numbered [2]; expected 1, 2, ... without gaps, each once."),
        (
            "infusion = 1",
            "dose = 1",
            "line 13: unknown key 'dose' in [import.visits.first]; expected named, infusion, ",
        ),
        (
            '["strip"]',
            '["trim"]',
            "line 7: repairs names 'trim'; expected some of strip, full_width, thousands, footnotes.",
        ),
        ('"c"', '"a"', "'a' stands for 2 visits; expected one visit."),
        ('"gad7"', '"gad9"', "line 20: instrument 'gad9'; expected madrs or gad7, or the TOML file of a scale."),
        ('"gad7"', '"no.toml"', "No such file or directory; expected a scale in TOML."),
        (
            "range = [0, 63]",
            "",
            "column 'other': a scale that is not known, without `range`; expected the range of its total.",
        ),
        (
            "-9]",
            "9]",
            "column 'madrs': the missing code 9 inside the range of the scale; expected a code that no score can have.",
        ),
        ('M = "2"', 'M = "f"', "column 'sex': 'f' stands for 2 levels; expected one level."),
        ('"bdi"', '"gad"', "column 'gad': a column that is read 2 times; expected once."),
        (
            '"bdi"',
            '"bdi_{visit}"',
            "column 'other.total': the column name 'bdi_{visit}'; expected a name without {visit}.",
        ),
        ('date = "date"', "", "neither `date` nor `day`; expected one of them, or the nominal `day` of every visit."),
        (
            'date = "date"',
            'date = "date"\ndate_format = "%d"',
            "an unusable date_format; expected day, month and year ",
        ),
        ("scores.other", "scores.week", "column 'week': a name that the result needs itself; expected each column "),
        ("repairs =", 'accept = ["all"]\nrepairs =', "accept names 'all'; expected one of visit_order, "),
    ],
)
def test_a_mapping_that_contradicts_itself_is_refused(unread, old, new, sentence):
    assert GOOD.count(old) == 1
    assert any(found.startswith(sentence) for found in unread(GOOD.replace(old, new))), unread(GOOD.replace(old, new))


def test_all_that_is_wrong_is_said_at_once(unread):
    broken = (
        GOOD.replace('shape = "long"', "shape = 3").replace("infusion = 1", 'infusion = "1"').replace("[7, 3]", "7")
    )
    assert [sentence.split(";")[0] for sentence in unread(broken)] == [
        "line 3: shape = 3",
        "line 13: infusion = '1'",
        "line 14: follow_up 7",
    ]


@pytest.mark.parametrize("text", ["", "[other]\na = 1\n", "[import\n", "import = 3\n"])
def test_a_file_without_a_mapping_is_refused(unread, text):
    assert unread(text)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"items": tuple(f"m{number}" for number in range(1, 10))}, "9 items, as MADRS-S has"),
        ({"total": "madrs_s_total", "items": ()}, "the column 'madrs_s_total', as MADRS-S has"),
        ({"total": "MADRS-S", "items": ()}, "the column 'MADRS-S', as MADRS-S has"),
        ({"scale": None, "range": (0, 54), "total": "madrs_self_sum", "items": ()}, "the column 'madrs_self_sum', as"),
        ({"items": tuple(f"m{number}" for number in range(1, 12))}, "11 items; expected 10"),
        ({"total": None, "items": ()}, "neither `total` nor `items`"),
    ],
)
def test_another_scale_is_not_read_as_madrs(tmp_path, mapping, refused, changes, found):
    score = replace(mapping.scores[0], **changes)
    (sentence,) = refused(tmp_path / "never_opened.csv", replace(mapping, scores=(score, mapping.scores[1])))
    assert sentence.startswith(f"column 'madrs': {found}")


def test_madrs_s_may_be_imported_under_its_own_name(export, write, mapping):
    own = Score(name="self_rated", total="madrs_s", range=(0, 54))
    scores = (replace(mapping.scores[0], total=None), own)
    path = write(export.renamed(madrs="madrs_s").added("m_sum", ["0"] * 18))
    assert import_table(path, replace(mapping, scores=scores)).table["self_rated"].max() == 38


def test_the_eighth_question_of_gad7_is_no_item(export, write, mapping, refused):
    items = tuple(f"gad7_{number}" for number in range(1, 9))
    score = Score(name="gad7", scale=GAD7, items=items)
    assert refused(write(export), replace(mapping, scores=(mapping.scores[0], score))) == [
        "column 'gad7': 8 items; expected 7."
    ]
