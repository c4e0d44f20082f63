"""The report as text: everything is in it, nothing refers outside, bad input is refused."""

import html
import json
import re
import shlex
from html.parser import HTMLParser

import pytest

from synergy.cli import run
from synergy.report import render_report, write_report
from synergy.report.diagrams import diagram_svg, places
from synergy.report.evidence import argument, distribution
from synergy.report.strips import Axis, strip_svg
from synergy.verification import Report, Settings, Verdict
from synergy.verification.controls import CONTROL
from synergy.verification.own import read_claim
from synergy.verification.summary import DataChecks
from theory import CLAIMS, ESSL, Diagram, prove

VOID = {"meta", "link", "br", "img", "hr", "input"}
SHAPES = {"circle", "line", "path", "rect", "polygon", "mspace"}


class Outline(HTMLParser):
    """Checks that elements nest, and keeps ids, links and visible text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.outside: list[str] = []
        self.anchors: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag not in VOID | SHAPES:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name == "href" and value.startswith("#"):
                self.anchors.append(value[1:])
            elif name in ("href", "src", "srcset", "action", "poster") and value != "data:,":
                self.outside.append(value)

    def handle_startendtag(self, tag, attrs):
        if tag not in SHAPES:
            raise AssertionError(f"<{tag}/> is no void element")

    def handle_endtag(self, tag):
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.text += data


@pytest.fixture(scope="module")
def page(small):
    return render_report(small)


def test_elements_nest_links_resolve_and_nothing_is_outside(page, troubled):
    for text in (page, render_report(troubled)):
        outline = Outline(text)
        assert outline.open == []
        assert outline.outside == []
        assert len(set(outline.ids)) == len(outline.ids)
        assert set(outline.anchors) <= set(outline.ids)
        assert "<script" not in text
        assert not re.search(r"url\(|@import", text)


def test_every_claim_and_every_number_is_there(page, small):
    outline = Outline(page)
    for claim in small.claims:
        assert f"claim-{claim.id}" in outline.ids
        assert claim.title in outline.text
        assert claim.prose in outline.text
    for name in ("proved", "refuted", "verified", "violated", "by construction"):
        count = sum(v.judgement == name for v in small.verdicts)
        assert f"{count} {name}" in outline.text
    for verdict in small.verdicts:
        assert verdict.note in outline.text
    assert page.count('class="strip" role="img" viewBox="0 0 300 22"') == sum(
        v.measured is not None for v in small.verdicts
    )


def test_the_counterexample_of_a_false_claim_is_shown(page, small):
    section = page[page.index('id="claim-D4"') :]
    evidence = next(v.evidence for v in small.verdicts if v.claim == "D4" and v.world == "proof")
    table = distribution(evidence)
    assert table.description in section
    assert "0.6931" in section
    assert sum(1 for row in table.rows if row[-1] == "1/4") == 4


def test_text_from_outside_is_escaped(troubled):
    page = render_report(troubled)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "&lt;i&gt;case" in page


def test_what_went_wrong_comes_first(troubled, small):
    page = render_report(troubled)
    assert "Theory and experiment disagree on E2." in page
    assert page.index("Look at these first.") < page.index('id="matrix"')
    assert "about 9 000 rows would decide" in page[: page.index('id="matrix"')]
    assert "Look at these first." not in render_report(small)
    assert "Every claim came out as the theory expects." in render_report(small)


def test_an_empty_report_is_a_page_too():
    outline = Outline(render_report(Report((), (), Settings())))
    assert outline.open == []
    assert "Nothing was judged." in outline.text


def test_the_commands_run(page, small, capsys):
    found = re.findall(r"<pre><code>(synergy prove.*?)</code></pre>", page)
    assert len(found) == len(small.claims)
    for claim, command in zip(small.claims, found, strict=True):
        words = shlex.split(command.replace("&#39;", "'").replace("&gt;", ">").replace("&lt;", "<"))
        assert run([*words[1:]]) == (1 if claim.expectation == "false" else 0)
        assert str(claim.statement) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "command"),
    [
        (Settings(), "synergy verify E1 --seed 0"),
        (Settings(seed=3, device="cpu"), "synergy verify E1 --seed 3 --device cpu"),
        (Settings.quick(seed=7), "synergy verify E1 --quick --seed 7"),
        (Settings(models=3), "verify([&#39;E1&#39;], settings=Settings(models=3))"),
    ],
    ids=["full", "device", "quick", "own settings"],
)
def test_the_verification_command_repeats_the_settings(settings, command):
    verdict = Verdict("E1", "exact", "random models", "I(A;Z|C) >= I(A;Z)", "verified", measured=0.0)
    assert command in render_report(Report((verdict,), (CLAIMS["E1"],), settings))


def test_the_whole_run_names_the_claims_that_were_named(small):
    made = render_report(small).partition('id="made"')[2]
    assert "synergy verify" not in made
    worlds = "worlds=[&#39;proof&#39;, &#39;symbolic&#39;, &#39;exact&#39;, &#39;sample&#39;]"
    named = "[&#39;E1&#39;, &#39;L1&#39;, &#39;L2&#39;, &#39;D4&#39;]"
    assert f"verify({named}, {worlds}, settings=Settings(" in made
    assert "with the caller&#39;s own claims or cases" in made


def test_the_command_repeats_what_was_named_and_gives_the_same_verdicts(tmp_path, capsys):
    arguments = ["verify", "D4", "I(A;Z) <= I(A;X)", "--world", "exact", "--world", "proof", "--quick"]
    arguments += ["--generator", "modular-shift: lossless", "--seed", "3", "--jobs", "1"]
    run([*arguments, "--out", str(tmp_path / "first"), "--json"])
    first = json.loads(capsys.readouterr().out)
    page = (tmp_path / "first" / "report.html").read_text(encoding="utf-8").partition('id="made"')[2]
    command = html.unescape(re.search("<pre><code>(.*?)</code></pre>", page)[1])
    assert command == (
        "synergy verify D4 'I(A;Z) <= I(A;X)' --world exact --world proof "
        "--generator 'modular-shift: lossless' --quick --seed 3"
    )
    run([*shlex.split(command)[1:], "--jobs", "1", "--out", str(tmp_path / "again"), "--json"])
    again = json.loads(capsys.readouterr().out)
    keys = ("claim", "world", "case", "judgement", "measured")
    assert [[v[k] for k in keys] for v in again["verdicts"]] == [
        [v[k] for k in keys] for v in first["verdicts"]
    ]


def test_the_control_is_repeated_by_the_whole_run():
    verdict = Verdict("E1-control", "exact", "witness", str(CONTROL.statement), "violated", measured=-0.1)
    page = render_report(Report((verdict,), (CONTROL,), Settings.quick()))
    assert "<code>synergy verify --quick --seed 0</code>" in page


def test_the_file_is_written_whole(small, tmp_path):
    path = write_report(small, tmp_path / "new" / "folder")
    assert path == tmp_path / "new" / "folder" / "report.html"
    assert path.read_text(encoding="utf-8") == render_report(small)
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_a_file_in_the_place_of_the_folder_is_refused(small, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="out must be a folder, got the file"):
        write_report(small, tmp_path / "file")


def test_the_same_report_gives_the_same_page(small):
    assert render_report(small) == render_report(small)


def test_a_proof_is_told_with_its_reasons():
    evidence = prove("I(A;Z|C) >= I(A;Z)", diagram=ESSL).to_dict()
    (part,) = argument(evidence)
    assert [re.sub("<[^>]*>", "", str(line.reason)) for line in part.lines] == [
        "A and C are d-separated in the diagram",
        "conditional mutual information is never negative",
    ]
    said = " ".join(re.findall(r'alttext="([^"]*)"', part.identity)).replace("&gt;", ">")
    assert said == "I(A;Z|C) - I(A;Z) == -I(A;C) + I(A;C|Z) >= 0"


def test_what_is_impossible_is_told_with_its_reasons():
    """The steps add up to 0 > 0, on a diagram and without one."""
    evidence = prove("I(A;C) > 0", diagram=ESSL, exists=True).to_dict()
    (part,) = argument(evidence)
    assert [re.sub("<[^>]*>", "", str(line.reason)) for line in part.lines] == [
        "A and C are d-separated in the diagram",
        "given",
    ]
    assert 'alttext="0 &gt; 0"' in part.goal
    longer = prove("I(A;B) > H(A)", exists=True)
    assert longer.verdict == "refuted"
    for found in (part, *argument(longer.to_dict())):
        said = " ".join(re.findall(r'alttext="([^"]*)"', found.identity)).replace("&gt;", ">")
        assert said.startswith("0 == ")
        assert said.endswith(" > 0")


def test_the_legend_tells_the_margins_and_which_way_they_count(troubled):
    page = Outline(render_report(troubled)).text
    assert "0.01 nats for frequencies, and 0.1 where something is fitted" in page
    assert "> and < fail where nothing speaks for a gap above 0, and it is not more than the margin" in page


def test_a_number_that_is_a_rounding_error_is_0():
    verdict = Verdict("E1", "exact", "c", "H(A) >= 0", "verified", None, -4.441e-16, 0.0)
    assert 'aria-label="gap 0 nats, verified"' in strip_svg(verdict, Axis.around([verdict]))


def test_of_a_statement_the_page_says_verified_or_violated():
    claim = read_claim("I(A;Z) >= I(A;X)", None)
    verdict = Verdict(claim.id, "exact", "random models", claim.id, "violated", measured=-0.1)
    page = Outline(render_report(Report((verdict,), (claim,), Settings()))).text
    assert "Violated: I(A;Z) >= I(A;X)." in page
    assert "asked of all models on the diagram" in page
    for wrong in ("Theory and experiment disagree", "unexpected", "expected to be true"):
        assert wrong not in page


def test_a_damaged_certificate_is_refused():
    evidence = prove("H(A) >= 0").to_dict()
    evidence["certificate"]["parts"][0]["steps"][0]["weight"] = "1/0"
    with pytest.raises(ValueError, match="weight must be a fraction"):
        argument(evidence)


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=lambda claim: claim.id)
def test_diagrams_put_causes_to_the_left_and_no_two_nodes_together(claim):
    where = places(claim.diagram)
    for cause, effect in claim.diagram.edges:
        assert where[cause][0] < where[effect][0]
    assert len(set(where.values())) == len(where)


def test_a_diagram_without_edges_can_be_drawn():
    assert places(Diagram.parse("A, B")) == {"A": (0.0, 0.0), "B": (0.0, 58.0)}


@pytest.mark.parametrize(("low", "high"), [(-3e-12, 4e-12), (-0.001, 0.002), (-4.0, 1e-9), (0.2, 173.0)])
def test_axes_hold_zero_and_every_number(low, high):
    verdict = Verdict("E1", "sample", "c", "H(A) >= 0", "verified", None, (low + high) / 2, 0.1, low, high)
    axis = Axis.around([verdict])
    assert axis.low <= min(low, 0) <= max(high, 0) <= axis.high
    assert 2 <= len(axis.ticks) <= 9
    assert 0.0 in axis.ticks
    drawn = [float(x) for x in re.findall(r'x\d?="([-\d.]+)"', strip_svg(verdict, axis))]
    assert all(0 <= x <= 300 for x in drawn)


def test_shape_tells_the_verdict_as_colour_does():
    shapes = {}
    for judgement in ("verified", "violated", "by construction", "inconclusive"):
        verdict = Verdict("E1", "sample", "c", "H(A) >= 0", judgement, None, 0.1, 0.1, 0.0, 0.2)
        svg = str(strip_svg(verdict, Axis.around([verdict])))
        shapes[judgement] = re.search(r'<(\w+) class="mark.*', svg)[0].replace(
            judgement.replace(" ", "-"), ""
        )
    assert len(set(shapes.values())) == 4


def of_own(*judgements):
    """Statements on rows of the caller's own: a report whose first claim was judged so in these worlds."""
    claims = (read_claim("I(A;Z) >= I(A;X)", None), read_claim("I(A;C) == 0", None), CLAIMS["E1"])
    verdicts = [Verdict(claims[0].id, world, "c", claims[0].id, found) for world, found in judgements]
    verdicts += [Verdict(c.id, "sample", "your rows", c.id, "inconclusive", note="why") for c in claims[1:]]
    checks = DataChecks(5, {"a": "2 labels"}, None, ("a takes one value only",), ())
    return Report(tuple(verdicts), claims, Settings(), data=checks)


def test_sections_of_statements_have_names_without_spaces_that_links_lead_to():
    outline = Outline(render_report(of_own(("sample", "violated"))))
    assert {"claim-1", "claim-2", "claim-E1"} <= set(outline.ids)
    assert {"claim-1", "claim-2", "claim-E1"} <= set(outline.anchors) <= set(outline.ids)
    assert not any(re.search(r"\s", name) for name in outline.ids)


def test_what_other_models_break_is_no_success_and_no_failure_where_it_holds_in_the_rows():
    page = render_report(of_own(("proof", "refuted"), ("exact", "violated"), ("sample", "verified")))
    first = re.findall(r'<td class="(\w+)" data-world="(\w+)">', page)[:5]
    assert {world: state for state, world in first} == {
        "proof": "neutral",
        "symbolic": "absent",
        "exact": "neutral",
        "sample": "expected",
        "learned": "absent",
    }
    assert "or fails on other models while it holds in your rows" in page
    assert "on other models" not in render_report(of_own(("sample", "violated")))


def test_sentences_begin_with_capitals_but_for_names_of_columns():
    text = Outline(render_report(of_own(("sample", "violated")))).text
    assert "5 rows: a (2 labels). The diagram and the premises say nothing" in text
    assert "a takes one value only." in text


def test_a_small_diagram_is_drawn_no_larger_than_it_is():
    found = diagram_svg(read_claim("I(X;Y) == 0", "X, Y").diagram)
    width = int(re.search(r'viewBox="0 0 (\d+)', found)[1])
    assert width < 100
    assert f"max-width:{width}px" in found
    assert f"min-width:min(13rem,{width}px)" in found
