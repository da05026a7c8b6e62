"""Names of columns as clinics write them: what they say, and what they leave open."""

import pytest

from harness.importing.names_in_the_wild import name_guesses

READ = {
    "madrs_1": ("madrs item 1", ""),
    "madrs_10": ("madrs item 10", ""),
    "madrs_01": ("madrs item 1", ""),
    "madrs1wk": ("madrs item 1", ""),
    "madrs10wk": ("madrs item 10", ""),
    "madrs1wk0": ("madrs item 1", "wk0"),
    "madrs1_apparentsadness": ("madrs item 1", ""),
    "M01_sadness": ("madrs item 1", ""),
    "madrs_01_apparent_sadness": ("madrs item 1", ""),
    "madrs_3_inf2": ("madrs item 3", "inf2"),
    "madrs_total": ("madrs total", ""),
    "MADRS_Total": ("madrs total", ""),
    "madrstotwk": ("madrs total", ""),
    "madrs_totalscore": ("madrs total", ""),
    "madrs_score": ("madrs total", ""),
    "madrs_inf1": ("madrs total", "inf1"),
    "MADRS_fu_1wk": ("madrs total", "fu_1wk"),
    "T0_madrs_total": ("madrs total", "T0"),
    "gad7_1": ("gad7 item 1", ""),
    "gad1_nervous": ("gad7 item 1", ""),
    "gad7_1_anxious_float": ("gad7 item 1", ""),
    "GAD0201": ("gad7 item 1", ""),
    "GAD0207": ("gad7 item 7", ""),
    "gad7_q3": ("gad7 item 3", ""),
    "gad7_1_wk3": ("gad7 item 1", "wk3"),
    "gad7_total": ("gad7 total", ""),
    "gad7_score": ("gad7 total", ""),
    "GAD7tot": ("gad7 total", ""),
    "GAD02TS": ("gad7 total", ""),
    "B_GAD7_Total": ("gad7 total", "B"),
    "E_GAD7_Total": ("gad7 total", "E"),
    "gad7_wk3": ("gad7 total", "wk3"),
    "record_id": ("subject", ""),
    "study_id": ("subject", ""),
    "USUBJID": ("subject", ""),
    "redcap_event_name": ("redcap_event_name", ""),
    "visit": ("visit", ""),
    "AVISIT": ("visit", ""),
    "visit_date": ("date", ""),
    "Datum_inf1": ("date", "inf1"),
    "gad7_date": ("date", ""),
    "infusion_date": ("infusion date", ""),
    "TRT01P": ("protocol", ""),
    "madrs_complete": ("not read", ""),
    "diagnosis___1": ("not read", ""),
    "gad7_8_difficult": ("not read", ""),
    "gad7_8": ("not read", ""),
    "madrs_s_1": ("MADRS-S, another scale", ""),
    "madrss9": ("MADRS-S, another scale", ""),
    "MADRS-S total": ("MADRS-S, another scale", ""),
    "madrs_self_3": ("MADRS-S, another scale", ""),
}


@pytest.mark.parametrize("name", READ)
def test_a_name_is_read_as_it_is_meant(name):
    first = name_guesses(name)[0]
    assert (first.role, first.wave) == READ[name]


@pytest.mark.parametrize("name", ["bdi.2m", "hamd_total", "weight", "notes", "madrs_notes", "gad", "m11_x", ""])
def test_other_names_are_no_scores(name):
    assert not [guess for guess in name_guesses(name) if guess.scale and guess.confidence == "high"]


@pytest.mark.parametrize("name", ["madrs_suicidal", "madrs_sum", "madrs_score", "madrs_severity", "madrs_sadness"])
def test_a_letter_s_alone_makes_no_self_rating(name):
    assert all(guess.role != "MADRS-S, another scale" for guess in name_guesses(name))


def test_the_place_of_a_visit_in_a_name_is_kept():
    assert name_guesses("B_GAD7_Total")[0].template == "{visit}_GAD7_Total"
    assert name_guesses("madrs1wk0")[0].template == "madrs1{visit}"
    assert name_guesses("MADRS_fu_1wk")[0].template == "MADRS_{visit}"


def test_a_bare_number_may_be_an_item_or_a_visit():
    assert [(guess.role, guess.wave) for guess in name_guesses("madrs_3")] == [
        ("madrs item 3", ""),
        ("madrs total", "3"),
    ]
    assert {"gad7 total", "gad7 item 7"} == {guess.role for guess in name_guesses("gad_7")}
