"""The page in Debian's Chromium, driven by Playwright, drawn in software: `pytest -m browser`."""

import json
import re
import shutil
import threading

import numpy as np
import pyarrow.parquet as pq
import pytest
import uvicorn

from tacit.embeddings.provenance import Provenance
from tacit.embeddings.rows import Rows
from tacit.embeddings.write import write
from tacit.explorer.server import application
from tacit.explorer.shown import Shown
from tacit.explorer.watching import Watched

from .conftest import DIM, made_table, vectors_of_groups

TOKEN = "a-token"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SOFTWARE = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
SECONDS = 60_000  # ms, that a slow machine may take for a step

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, "there is no chromium; apt-get install chromium, or leave these tests out with -m 'not browser'"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SOFTWARE)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served(trees, tmp_path_factory):
    """The address of a page with one table, and the folder of its selections."""
    folder = tmp_path_factory.mktemp("selections")
    with serving([Shown(trees, told=print)], None, folder) as address:
        yield address, folder


class serving:
    """A server in a thread, as long as the block lasts."""

    def __init__(self, tables, watched, folder):
        config = uvicorn.Config(application(tables, watched, folder, TOKEN), port=0, log_level="error", lifespan="off")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)

    def __enter__(self):
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive()
        return f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}/#{TOKEN}"

    def __exit__(self, *error):
        self.server.should_exit = True
        self.thread.join()


def _wrong(message) -> bool:
    """An error on the console, but for an answer that is a sentence."""
    return message.type == "error" and "400 (Bad Request)" not in message.text


@pytest.fixture
def opened(chromium, served):
    """Opens the page anew; in the end nothing was left on the console."""
    said, contexts = [], []

    def open_page(address=served[0], wide=1440, high=900, scheme="light", script=""):
        context = chromium.new_context(viewport={"width": wide, "height": high}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(SECONDS)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda message: said.append(message.text) if _wrong(message) else None)
        if script:
            page.add_init_script(script)
        page.goto(address)
        page.wait_for_selector("body[data-ready]", state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not said, said


def until(page, condition):
    """Wait for a condition; as a function, since the page's policy forbids to evaluate strings."""
    page.wait_for_function(f"() => {condition}")


def where(page, row, table=0):
    """A row's place on the screen."""
    x, y = page.evaluate(f"page.shown[{table}].map.where({row})")
    box = page.locator(".map").nth(table).bounding_box()
    return box["x"] + x, box["y"] + y


def colour_at(page, row):
    """What is drawn where a row lies: red, green, blue, opacity."""
    until(page, "page.shown.every(one => one.map.points.drawn === one.map.count)")
    *rgb, opacity = page.evaluate(
        """row => {
            const { map } = page.shown[0], { gl } = map.points, [x, y] = map.where(row), found = new Uint8Array(4);
            gl.readPixels(x * map.density, (map.height - y) * map.density, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, found);
            return [...found];
        }""",
        row,
    )
    return [*(round(255 * value / max(opacity, 1)) for value in rgb), opacity]


def test_points_are_drawn_in_the_colours_of_the_legend(opened):
    page = opened()
    entries = [text.split() for text in page.locator("#legend button").all_inner_texts()]
    assert entries == [["beech", "13"], ["cedar", "13"], ["ash", "12"], ["not", "known", "4"]]
    swatches = page.locator("#legend .swatch")
    legend = [swatches.nth(i).evaluate("swatch => getComputedStyle(swatch).backgroundColor") for i in range(4)]
    for row, entry in ((0, 2), (1, 0), (2, 1), (9, 3)):
        *rgb, opacity = colour_at(page, row)
        assert np.allclose(rgb, [int(n) for n in re.findall(r"\d+", legend[entry])], atol=4) and opacity > 200
    page.select_option("#colour", label="split")
    until(page, "document.querySelector('#legend .name').textContent === 'train'")
    assert colour_at(page, 0)[:3] != colour_at(page, 1)[:3] and colour_at(page, 1)[:3] == colour_at(page, 2)[:3]


def test_hovering_and_clicking(opened):
    page = opened()
    page.mouse.move(*where(page, 4))
    page.wait_for_selector(".tip.on img")
    assert "trees/4.png" in page.locator(".tip").inner_text() and "beech" in page.locator(".tip").inner_text()
    page.mouse.click(*where(page, 4))
    page.wait_for_selector("#nearest li")
    assert page.locator("#details .id").inner_text() == "trees/4.png"
    expected = page.evaluate("fetch('api/near?row=4&top=12', {headers: {'x-tacit-token': 'a-token'}}).then(a => a.json())")
    ids = [f"trees/{hit['row']}.png" for hit in expected["hits"]]
    assert [button.get_attribute("title") for button in page.locator("#nearest button").all()] == ids
    page.locator("#nearest button").nth(1).click()
    until(page, f"document.querySelector('#details .id').textContent === '{ids[1]}'")
    assert page.locator("#banner").is_hidden()


def test_drawing_around_points_and_saving_them(opened, served):
    page = opened()
    group = [row for row in range(42) if row % 3 == 1]
    places = np.array([where(page, row) for row in group])
    (left, top), (right, bottom) = places.min(0) - 8, places.max(0) + 8
    page.get_by_role("button", name="Draw around points").click()
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=4)
    page.mouse.up()
    until(page, "document.querySelector('#selected').textContent.startsWith('14 of 42')")
    assert colour_at(page, 0)[3] < 60 < 200 < colour_at(page, 1)[3]  # what is not selected is faint
    page.fill("#name", "../beeches")
    page.click("#save button[type=submit]")
    until(page, "document.querySelector('#saved').textContent.includes('cannot name')")
    page.fill("#name", "beeches")
    page.click("#save button[type=submit]")
    until(page, "document.querySelector('#saved').textContent.includes('keeps 14')")
    kept = pq.read_table(served[1] / "beeches.parquet").to_pydict()
    assert [i for i, keep in enumerate(kept["kept"]) if keep] == group
    page.click("#clear")
    assert page.locator("#save").is_hidden() and colour_at(page, 0)[3] > 200


def test_moving_and_looking_closer(opened):
    page = opened()
    before = where(page, 3)
    box = page.locator(".map").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 50, y + 30, steps=5)
    page.mouse.up()
    assert np.allclose(where(page, 3), np.add(before, (50, 30)), atol=2)
    page.mouse.move(*where(page, 3))
    page.mouse.wheel(0, -300)
    until(page, "page.shown[0].map.transform.k > 1.3")
    assert page.locator("#sample").is_visible() and not page.locator("#details .id").count()
    page.get_by_role("button", name="All of it").click()
    assert np.allclose(where(page, 3), before, atol=1)


def test_all_by_keys(opened):
    """From the top of the page to a saved name, without a pointer."""
    page = opened()
    stops = []
    for _ in range(8):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
        ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert ring == "solid", stops
        if stops[-1] == "map":
            break
    assert stops[0] == "skip" and stops[1] == "query" and stops[-1] == "map"
    start = page.evaluate("page.shown[0].map.transform.x")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("page.shown[0].map.transform.x") == start - 60
    page.keyboard.press("+")
    until(page, "page.shown[0].map.transform.k > 1.3")
    page.keyboard.press("0")
    page.keyboard.press("s")
    until(page, "document.querySelector('#selected').textContent.startsWith('42 of 42')")
    page.keyboard.press("Escape")
    until(page, "document.querySelector('#selected').textContent.startsWith('Nothing')")
    page.keyboard.press("Enter")
    page.wait_for_selector("#nearest li")
    first = page.locator("#details .id").inner_text()
    page.keyboard.press("n")
    until(page, f"document.querySelector('#details .id').textContent !== '{first}'")
    page.keyboard.press("p")
    until(page, f"document.querySelector('#details .id').textContent === '{first}'")
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("trees/7.pn")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#banner').textContent.includes(\"nearest is 'trees/7.png'\")")
    page.keyboard.type("g")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#details .id').textContent === 'trees/7.png'")
    assert page.locator("#banner").is_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("wide, high", [(1440, 900), (390, 844)])
def test_light_and_dark_narrow_and_wide(opened, scheme, wide, high):
    page = opened(wide=wide, high=high, scheme=scheme)
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(int(n) for n in re.findall(r"\d+", paper)[:3]) > 600) == (scheme == "light")
    assert page.evaluate("document.documentElement.scrollWidth") <= wide  # nothing is cut off
    box = page.locator(".map").bounding_box()
    assert box["width"] > 0.7 * min(wide, 1000) and box["height"] > 300
    boxes = [page.locator(name).bounding_box() for name in ("header", "#maps", "#panel")]
    assert (boxes[2]["y"] >= boxes[1]["y"] + boxes[1]["height"] - 1) == (wide < 760)
    for row in (0, 1, 2):
        assert colour_at(page, row)[3] > 200


def test_without_webgl_a_list_does_the_same(opened, served):
    script = """const own = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
            return kind.startsWith('webgl') ? null : own.call(this, kind, ...more); };"""
    page = opened(script=script)
    assert "draws no WebGL" in page.locator(".note").inner_text()
    assert page.locator(".rows tbody tr").count() == 42
    page.get_by_label("Select trees/2.png").check()
    page.get_by_label("Select trees/5.png").check()
    until(page, "document.querySelector('#selected').textContent.startsWith('2 of 42')")
    page.get_by_role("button", name="trees/8.png", exact=True).click()
    page.wait_for_selector("#nearest li")
    page.fill("#name", "listed")
    page.click("#save button[type=submit]")
    until(page, "document.querySelector('#saved').textContent.includes('keeps 2')")
    assert sum(pq.read_table(served[1] / "listed.parquet")["kept"].to_pylist()) == 2


def test_two_encoders_beside_one_another(opened, trees, tmp_path):
    other = made_table(tmp_path / "other.lance", 40, seed=3, encoder="cd" * 32)
    with serving([Shown(trees, told=print), Shown(other, told=print)], None, tmp_path) as address:
        page = opened(address)
        page.locator("#legend button").first.click()
        until(page, "page.shown[1].selection.length === 12")
        assert page.evaluate("[...page.shown[1].selection].every(row => row % 3 === 1)")
        page.mouse.click(*where(page, 5, table=1))
        page.wait_for_selector("#nearest h3:nth-of-type(2)")
        assert page.locator("#nearest h3").all_inner_texts() == ["Nearest in trees.lance", "Nearest in other.lance"]
        assert re.search(r"\d+ of 12 neighbours are the same", page.locator("#nearest").inner_text())
        assert page.evaluate("page.shown.map(one => one.map.marks.picked)") == [5, 5]
        page.mouse.move(*where(page, 7))
        until(page, "page.shown[1].map.marks.hover === 7")


def test_a_training_is_watched_as_it_runs(opened, trained, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.yaml").write_bytes((trained.path / "run.yaml").read_bytes())
    with serving([], Watched(folder), tmp_path) as address:
        page = opened(address)
        until(page, "document.querySelector('#run').textContent.includes('Nothing is logged yet')")
        shutil.copy(trained.path / "metrics.jsonl", folder)
        page.wait_for_selector("#run svg")
        assert "effective rank" in page.locator("#run").inner_text() and "No alarm so far" in page.locator("#run").inner_text()
        with (folder / "metrics.jsonl").open("a") as log:
            line = {"stage": 0, "epoch": 9, "step": 99, "loss": 1, "alarm": "collapse", "warning": "It has <b>collapsed</b>."}
            log.write(json.dumps(line) + "\n")
        page.wait_for_selector("#run .alarm")
        assert page.locator("#run .alarm").inner_text() == "It has <b>collapsed</b>."


def test_texts_and_rows_are_read_beside_their_points(opened, tmp_path):
    vectors = vectors_of_groups(6)
    ids, none = list("abcdef"), [None] * 6
    columns = {
        "text": {"texts": ["rain <b>and</b> wind"] * 6},
        "table": {"cells": [json.dumps({"age": 20 + i, "job": None, "town": "Ulm"}) for i in range(6)]},
    }
    shown = []
    for kind, column in columns.items():
        made = Provenance("runs/one", "ab" * 32, "dense", "cosine", DIM, kind, "0.1.0")
        table = write(tmp_path / f"{kind}.lance", [Rows(ids, none, none, vectors, none, **column)], made, total=6)
        shown.append(Shown(table, told=print))
    with serving(shown, None, tmp_path) as address:
        page = opened(address)
        said = []
        for number in (0, 1):
            page.mouse.move(*where(page, 4, table=number))
            tip = page.locator(".tip").nth(number)
            tip.locator("xpath=self::*[contains(@class, 'on')]").wait_for()
            said.append(tip.inner_text().split())
        assert said == [["rain", "<b>and</b>", "wind", "e"], ["age", "24", "job", "–", "town", "Ulm", "e"]]
        page.mouse.click(*where(page, 4, table=1))
        page.wait_for_selector("#nearest h3:nth-of-type(2)")
        beside = page.locator("#nearest ol").nth(1).locator(".look").first.inner_text()
        assert beside.startswith("age 2") and beside.endswith("· job – · town Ulm")


def test_a_table_that_was_replaced_is_offered_and_shown(opened, tmp_path):
    table = made_table(tmp_path / "trees.lance", 42)
    with serving([Shown(table, told=print)], None, tmp_path) as address:
        page = opened(address)
        shutil.rmtree(table.path)
        made_table(tmp_path / "trees.lance", 30, seed=4)
        page.evaluate("page.look()")
        page.get_by_role("button", name="Show it as it is now").click()
        until(page, "globalThis.page?.about.tables[0].rows === 30 && document.body.hasAttribute('data-ready')")
        assert page.locator("#banner").is_hidden()
        page.mouse.move(*where(page, 29))
        page.wait_for_selector(".tip.on")
        assert "trees/29.png" in page.locator(".tip").inner_text()


def test_what_cannot_be_shown_is_a_sentence(opened, served, chromium, tmp_path):
    table = made_table(tmp_path / "trees.lance", 42)
    with serving([Shown(table, told=print)], None, tmp_path) as address:
        page = opened(address)
        shutil.rmtree(table.path)
        page.evaluate("page.look()")
        until(page, "document.querySelector('#banner').textContent.includes('has changed since')")
    page = chromium.new_page()
    page.goto(served[0].partition("#")[0])
    until(page, "document.querySelector('#banner').textContent.includes('lacks its token')")
    page.close()
