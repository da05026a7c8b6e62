"""Proposed mappings: shown with their evidence, refused until a person has confirmed them."""

from dataclasses import replace

import pytest

from harness.importing import Protocol, guess_table, import_table, mapping_text, propose_mapping, read_mapping
from harness.locations import fixtures_folder

FOLDER = fixtures_folder() / "imports"
MAPPINGS = ("clinic_redcap.toml", "clinic_wide.toml", "clinic_two_files.toml", "ketamine_real.toml")


@pytest.fixture
def propose(write):
    """Propose a mapping for a table of columns, each with its cells."""

    def proposed(**columns):
        rows = [list(columns), *map(list, zip(*columns.values(), strict=True))]
        return propose_mapping(write("".join(",".join(map(str, row)) + "\n" for row in rows)))

    return proposed


def roles(proposal):
    table = guess_table(proposal.guesses)
    return dict(zip(table["column"], table["role"], strict=True))


def test_a_redcap_export_is_proposed_with_its_events_and_arms():
    mapping = propose_mapping(FOLDER / "clinic_redcap.csv").mapping
    known = read_mapping(FOLDER / "clinic_redcap.toml")
    assert mapping.shape == "redcap"
    assert mapping.subject == known.subject
    assert mapping.scores == known.scores
    assert mapping.dating.date == known.dating.date
    assert set(known.other_events) < set(mapping.other_events)
    assert [visit.infusion for visit in mapping.visits] == [1, 2, 3, 4, 5, 6, None, None]
    assert [visit.named for visit in mapping.visits] == [visit.named for visit in known.visits]
    assert [protocol.named for protocol in mapping.protocols] == [("arm_1",), ("arm_2",)]


def test_a_guess_is_refused_until_it_is_confirmed(refused):
    path = FOLDER / "clinic_wide.csv"
    mapping = propose_mapping(path).mapping
    sentence = "a guessed mapping that nobody has confirmed; expected confirmed = true, once a person has read it."
    assert sentence in refused(path, mapping)
    # What a person adds: how many infusions a protocol plans, what the last visits are, and the words for sexes.
    protocols = (Protocol(name="four", named=("4",), infusions=4), Protocol(name="six", named=("6",), infusions=6))
    known = read_mapping(FOLDER / "clinic_wide.toml")
    mended = replace(
        mapping,
        name="clinic",
        protocols=protocols,
        visits=(*mapping.visits[:6], *known.visits[6:]),
        covariates=known.covariates,
        start_year=True,
    )
    assert refused(path, mended) == [sentence]
    found = import_table(path, replace(mended, confirmed=True))
    assert found.cohort.sha256 == import_table(path, known).cohort.sha256


def test_what_stays_open_is_asked():
    proposal = propose_mapping(FOLDER / "clinic_wide.csv")
    assert proposal.open_questions == (
        "Say what these visits are (infusion, follow_up, screening): fu_1wk, fu_1mo.",
        "Say how many infusions each protocol plans.",
        "Words for sex in 'Geschlecht' that fewer than 11 rows have are not shown (1).",
    )
    assert proposal.text.startswith(f"# {proposal.open_questions[0]}\n")
    assert "confirmed = false" in proposal.text


@pytest.mark.parametrize("name", MAPPINGS)
def test_the_text_of_a_mapping_is_read_as_the_mapping(name, write):
    mapping = read_mapping(FOLDER / name)
    assert read_mapping(write(mapping_text(mapping), "again.toml")) == mapping


def test_the_evidence_is_shown_with_the_alternatives():
    table = guess_table(propose_mapping(FOLDER / "clinic_redcap.csv").guesses).set_index("column")
    assert table.loc["madrs_10_suicidal", "role"] == "madrs item 10"
    assert table.loc["madrs_10_suicidal", "confidence"] == "high"
    assert table.loc["madrs_10_suicidal", "evidence"] == (
        "one of 10 items, numbered from 1 to 10; 132 of 135 cells are from 0 to 6"
    )
    assert "gad7 total 1" in table.loc["gad7_1", "alternatives"]
    assert table.loc["notes", "evidence"] == "the name says nothing"


def test_a_proposal_shows_no_cell_that_could_be_about_a_person():
    for name in ("clinic_redcap", "clinic_wide", "clinic_madrs", "clinic_gad7"):
        proposal = propose_mapping(FOLDER / f"{name}.csv")
        whole = f"{proposal.text} {proposal} {guess_table(proposal.guesses).to_string()}"
        for piece in ("MRN", "70137", "2019", "sister", "555"):
            assert piece not in whole


def test_nine_items_are_not_taken_for_madrs(propose):
    proposal = propose(id=["a"], visit=["v"], **{f"madrs{k}": [3] for k in range(1, 10)})
    assert not proposal.mapping.scores
    assert any("9 items, as MADRS-S has, where MADRS has 10" in question for question in proposal.open_questions)


def test_columns_of_madrs_s_are_named_and_not_read(propose):
    proposal = propose(id=["a"], visit=["v"], madrs_total=[31], madrs_s_total=[22])
    assert proposal.mapping.scores[0].total == "madrs_total"
    assert (
        "The column 'madrs_s_total' looks like MADRS-S, which is not MADRS; it is not read." in proposal.open_questions
    )


def test_numbers_that_no_item_has_make_totals_of_visits(propose):
    proposal = propose(id=["a", "b"], madrs1=[31, 28], madrs2=[22, 3], madrs3=[9, 2])
    assert proposal.mapping.shape == "wide"
    assert proposal.mapping.scores[0].total == "madrs{visit}"
    assert [visit.named for visit in proposal.mapping.visits] == [("1",), ("2",), ("3",)]


def test_a_few_bare_numbers_are_left_open_where_cells_do_not_tell(propose):
    proposal = propose(id=["a", "b"], visit=["v", "w"], madrs1=[3, 2], madrs2=[2, 3])
    assert not proposal.mapping.scores
    assert any("2 of 10 items, or a total at 2 visits" in question for question in proposal.open_questions)


def test_seven_named_questions_are_items_and_the_eighth_is_none(propose):
    names = ("nervous", "control", "worry", "relax", "restless", "irritable", "afraid")
    columns = {f"gad{k}_{name}": [1] for k, name in enumerate(names, start=1)}
    proposal = propose(id=["a"], visit=["v"], **columns, gad7_8_difficult=[2])
    assert proposal.mapping.scores[0].items == tuple(columns)
    assert roles(proposal)["gad7_8_difficult"] == "not read"


def test_cells_that_are_no_scores_lower_the_confidence(propose):
    proposal = propose(id=["a", "b", "c"], visit=["v", "w", "v"], madrs_total=["poor", "31", "22"])
    assert not proposal.mapping.scores
    assert any("Not read as madrs: madrs_total" in question for question in proposal.open_questions)


def test_several_columns_of_one_role_are_asked_about(propose):
    proposal = propose(record_id=["a"], mrn=["b"], visit=["v"], gad7_total=[3])
    assert proposal.mapping.subject == "record_id"
    assert "Which column is the subject: record_id, mrn? The first is proposed." in proposal.open_questions
