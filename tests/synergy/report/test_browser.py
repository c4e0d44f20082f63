"""The report in headless Chromium: no request, no error, nothing missing, at any width, light or dark."""

from __future__ import annotations

import base64
import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from synergy.report import write_report

webdriver = pytest.importorskip(
    "selenium.webdriver", reason="selenium drives the browser and is not installed"
)
Service = pytest.importorskip("selenium.webdriver.chrome.service").Service

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

pytestmark = pytest.mark.skipif(
    not (BROWSER and DRIVER),
    reason="needs Chromium and its driver (Debian: apt-get install chromium chromium-driver)",
)

PHONE, DESKTOP = 390, 1200
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)


class Page:
    """One browser: opens a page at a width and in a colour scheme, and tells what it asked for and said."""

    def __init__(self, driver) -> None:
        self.driver = driver

    def open(self, url, *, width=DESKTOP, scheme="light", media="screen"):
        command = self.driver.execute_cdp_cmd
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        command("Emulation.setEmulatedMedia", {"media": media, "features": features})
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        command("Emulation.setDeviceMetricsOverride", size)
        self.driver.get_log("performance")
        self.driver.get_log("browser")
        self.driver.get(url)
        return self

    def requests(self):
        """Every address that was asked for, but for the page itself and data within it."""
        asked = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                asked.append(message["params"]["request"]["url"])
        return [url for url in asked if url != self.driver.current_url and not url.startswith("data:")]

    def complaints(self):
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def script(self, body):
        return self.driver.execute_script(body)

    def picture(self, height=2400):
        found = self.driver.execute_cdp_cmd(
            "Page.captureScreenshot",
            {
                "format": "png",
                "captureBeyondViewport": True,
                "clip": {
                    "x": 0,
                    "y": 0,
                    "width": self.script("return innerWidth"),
                    "height": height,
                    "scale": 1,
                },
            },
        )
        return base64.b64decode(found["data"])


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield Page(driver)
    driver.quit()


@pytest.fixture(scope="module")
def address(troubled, tmp_path_factory):
    return write_report(troubled, tmp_path_factory.mktemp("report")).as_uri()


LOOKS = [(width, scheme) for width in (PHONE, DESKTOP) for scheme in ("light", "dark")]


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_no_request_leaves_the_page_and_nothing_is_complained_about(browser, address, width, scheme):
    browser.open(address, width=width, scheme=scheme)
    assert browser.requests() == []
    assert browser.complaints() == []


def test_the_two_checks_can_fail(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text('<img src="missing.png"><script>console.error("broken")</script>')
    browser.open(page.as_uri())
    assert [url.rpartition("/")[2] for url in browser.requests()] == ["missing.png"]
    assert any("broken" in text for text in browser.complaints())


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_the_page_is_no_wider_than_the_screen(browser, address, width):
    browser.open(address, width=width)
    assert browser.script("return document.documentElement.scrollWidth") <= width
    beyond = browser.script(
        """const inside = e => e.closest('.math, .witness, svg');
        return [...document.querySelectorAll('main *, header *')].filter(e => !inside(e)
          && e.getClientRects().length && e.getBoundingClientRect().right > innerWidth + 1
          && getComputedStyle(e.closest('thead') ?? e).position !== 'absolute')
          .map(e => e.outerHTML.slice(0, 80))"""
    )
    assert beyond == []


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_everything_is_visible(browser, address, troubled, width):
    browser.open(address, width=width)
    sizes = browser.script(
        """return Object.fromEntries(['math', 'svg.diagram', 'svg.strip', '.badge', '.matrix td', 'pre'].map(
          s => [s, [...document.querySelectorAll(s)].map(e => {
            const r = e.getBoundingClientRect(); return Math.min(r.width, r.height)})]))"""
    )
    for kind, found in sizes.items():
        assert found, kind
        assert min(found) >= 5, kind
    assert len(sizes["svg.diagram"]) == len(troubled.claims)
    assert len(sizes[".matrix td"]) == 5 * len(troubled.claims)
    told = browser.script("return [...document.querySelectorAll('.matrix td')].map(e => e.innerText.trim())")
    assert all(told)


CONTRAST = """
const parse = c => { const m = c.match(/[\\d.]+/g).map(Number); return m.length > 3 ? m : [...m, 1] };
const part = v => v <= 10 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4;
const light = ([r, g, b]) => { const f = part;
  return .2126 * f(r) + .7152 * f(g) + .0722 * f(b) };
const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
  if (c[3] > 0) return c } return [255, 255, 255, 1] };
const poor = [];
for (const e of document.querySelectorAll('body *')) {
  if (e.closest('svg, .absent') || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
  const a = light(parse(getComputedStyle(e).color)), b = light(ground(e));
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (ratio < 4.5) poor.push(e.className + ' ' + e.textContent.trim().slice(0, 40) + ' ' + ratio.toFixed(2));
}
return [...new Set(poor)]"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser, address, scheme):
    browser.open(address, scheme=scheme)
    assert browser.script(CONTRAST) == []


def test_the_contrast_check_can_fail(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text('<body style="background:#fff"><p class="faint" style="color:#bbb">text</p>')
    (found,) = browser.open(page.as_uri()).script(CONTRAST)
    assert found.startswith("faint text 1.9")


def test_print_shows_what_is_folded_on_screen(browser, address):
    seen = "return document.querySelector('.skipped').checkVisibility()"
    assert browser.open(address).script(seen) is False
    assert browser.open(address, media="print").script(seen) is True


def mean_brightness(png: bytes) -> float:
    return float(np.asarray(Image.open(io.BytesIO(png)).convert("L")).mean())


def test_it_is_light_in_the_light_and_dark_in_the_dark(browser, address, tmp_path):
    pictures = {}
    for width, scheme in LOOKS:
        picture = browser.open(address, width=width, scheme=scheme).picture(height=300)
        (tmp_path / f"report-{width}-{scheme}.png").write_bytes(picture)
        pictures[width, scheme] = mean_brightness(picture)
    for width in (PHONE, DESKTOP):
        assert pictures[width, "light"] > 220
        assert pictures[width, "dark"] < 80
