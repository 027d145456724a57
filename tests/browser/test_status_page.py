"""The status page (…/status) as people see it: in Chromium, behind nginx."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser import traffic
from tests.support.procs import wait_until

TOKEN, SHOP_TOKEN = "operator-0123456789abcdef", "shop-0123456789abcdef"
EVIL = "<img/src=x/onerror=document.title='owned'>"


def url_of(web_server):
    return f"{web_server.url}/_fetch/status"


def tile(page, name):
    return page.locator(".tile", has=page.locator("dt", has_text=name)).locator(".value")


def state(page, text):
    expect(page.locator("#state")).to_have_text(text, timeout=15000)


def uptime(daemon):
    return daemon.client.ask("GET", "/v1/status").json()["uptime_seconds"]


def violations(page):
    """What axe-core finds, WCAG 2.2 AA and its best practices; the page is still meanwhile."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(rule["id"], node["target"], node["failureSummary"])
            for rule in found for node in rule["nodes"]]


@pytest.fixture
def busy(curlewd, nginx, origin):
    """(daemon, nginx) with fetches of each kind behind them."""
    daemon = curlewd(traffic.config(origin))
    with traffic.Traffic(daemon, origin, threads=4, pause=0.005) as load:
        wait_until("some fetches", lambda: load.done > 100, 30)
    return daemon, nginx(daemon)


def test_it_shows_what_the_daemon_does(busy, open_page):
    daemon, web_server = busy
    page = open_page(url_of(web_server))
    state(page, "Running")
    expect(page.locator("#origins tbody tr").first).to_contain_text("http://api.example.com:")
    assert set(page.locator("#sessions tbody th").all_inner_texts()) == {
        "default", "crawler", "webhooks"}
    status = daemon.client.ask("GET", "/v1/status").json()
    done = sum(sum(s["outcomes"].values()) for s in status["sessions"].values())
    expect(page.locator(".tile").first).to_contain_text(f"{done:,} in all")
    expect(page.locator("#failures")).to_contain_text("recv_failed")
    expect(page.locator("#libraries")).to_contain_text(status["libraries"]["libcurl_file"])
    assert page.locator("#charts canvas").count() == 4
    assert page.title().startswith("curlewd ")


def test_rates_follow_the_fetches(busy, open_page, origin):
    daemon, web_server = busy
    page = open_page(url_of(web_server))
    state(page, "Running")
    with traffic.Traffic(daemon, origin, threads=2, pause=0.01):
        page.wait_for_function(
            "() => parseFloat(document.querySelector('.tile .value').textContent) > 5",
            timeout=15000)
        page.wait_for_function(
            "() => /ms| s/.test(document.querySelectorAll('.tile .value')[3].textContent)")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360], ids=["desktop", "phone"])
def test_axe_finds_nothing(busy, open_page, dark, width):
    page = open_page(url_of(busy[1]), dark=dark, width=width, height=800, mobile=width < 500)
    state(page, "Running")
    page.wait_for_timeout(2500)  # two answers: there are rates now
    page.locator("summary").first.click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "scrolls sideways"


def test_axe_finds_nothing_where_a_token_is_asked_for(curlewd, nginx, open_page, tmp_path):
    (tmp_path / "tokens").write_text(f"{TOKEN}\n")
    page = open_page(url_of(nginx(curlewd({"auth": {"tokens_file": str(tmp_path / "tokens")}}))))
    expect(page.locator("#login")).to_be_visible()
    assert violations(page) == []


def test_a_token_is_asked_for_and_kept_in_the_tab(curlewd, nginx, open_page, tmp_path):
    (tmp_path / "tokens").write_text(f"{TOKEN}\n{SHOP_TOKEN} shop\n")
    daemon = curlewd({"auth": {"tokens_file": str(tmp_path / "tokens")}, "sessions": {"shop": {}}})
    page = open_page(url_of(nginx(daemon)))
    expect(page.locator("#token")).to_be_focused()
    page.keyboard.type("a-wrong-0123456789abcdef")
    page.keyboard.press("Enter")
    expect(page.locator("#login-error")).to_have_text("curlewd does not know this token.")
    page.keyboard.type(TOKEN)
    page.keyboard.press("Enter")
    state(page, "Running")
    expect(page.locator("#s-daemon")).to_be_visible()
    page.reload()
    state(page, "Running")
    assert TOKEN not in page.content()
    assert page.evaluate("localStorage.length") == 0 and page.context.cookies() == []


def test_a_token_for_certain_sessions_shows_these(curlewd, nginx, open_page, tmp_path):
    (tmp_path / "tokens").write_text(f"{SHOP_TOKEN} shop\n")
    daemon = curlewd({"auth": {"tokens_file": str(tmp_path / "tokens")}, "sessions": {"shop": {}}})
    page = open_page(url_of(nginx(daemon)))
    page.locator("#token").fill(SHOP_TOKEN)
    page.keyboard.press("Enter")
    state(page, "Running")
    expect(page.locator("#note")).to_contain_text("its own sessions only")
    assert page.locator("#sessions tbody th").all_inner_texts() == ["shop"]
    for part in ("#s-origins", "#s-breakers", "#s-daemon"):
        expect(page.locator(part)).to_be_hidden()
    assert violations(page) == []


def test_it_survives_a_restart_and_says_so(curlewd, nginx, origin, open_page):
    daemon = curlewd()
    daemon.client.fetch(origin.url("/hello"))
    page = open_page(url_of(nginx(daemon)))
    state(page, "Running")
    wait_until("another second", lambda: uptime(daemon) > 1.1)
    daemon.stop()
    state(page, "No answer")
    expect(page.locator("#note")).to_contain_text("curlewd does not answer (502)")
    expect(page.locator("#note")).to_contain_text("Next try in")
    again = curlewd(directory=daemon.directory)
    state(page, "Running")
    expect(page.locator("#note")).to_contain_text("curlewd was restarted at")
    expect(page.locator("#announce")).to_contain_text("restarted")
    again.client.fetch(origin.url("/hello"))
    expect(page.locator(".tile").first).to_contain_text("1 in all")
    shown = page.locator("body").inner_text()
    assert "NaN" not in shown and "-1" not in shown and "undefined" not in shown, shown


def test_what_others_send_is_text(busy, open_page):
    """Every name and text that the status may hold, made hostile on its way: none is an element."""
    def spoil(route):
        status = route.fetch().json()
        for each in status["origins"]["busiest"] + status["origins"]["breaker_open"]:
            each["origin"] = EVIL
        status["sessions"] = {EVIL: status["sessions"]["default"]}
        for session in status["sessions"].values():
            session["outcomes"][EVIL] = 7
            session["cookie_jar"] = EVIL
        status["libraries"]["libcurl"] = status["version"] = EVIL
        status["libraries"]["impersonate"] = [EVIL]
        route.fulfill(json=status)

    page = open_page("about:blank")
    page.route("**/v1/status", spoil)
    page.goto(url_of(busy[1]))
    state(page, "Running")
    for part in ("#origins", "#sessions", "#failures", "#libraries", "#facts"):
        expect(page.locator(part)).to_contain_text(EVIL)
    assert page.locator("main img, main script").count() == 0
    assert page.title() != "owned"


def test_nothing_is_loaded_from_elsewhere_and_no_inline_code_runs(curlewd, nginx, open_page):
    url, asked = url_of(nginx(curlewd())), []
    page = open_page("about:blank")
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    state(page, "Running")
    assert {url.rsplit("/_fetch", 1)[1] for url in asked if not url.startswith("data:")} == {
        "/status", "/v1/status"}
    for attempt in (
            "const e = document.createElement('script'); e.text = CODE; document.body.append(e)",
            "const e = document.createElement('a'); e.setAttribute('onclick', CODE); e.click()",
            "document.body.innerHTML = `<img src=x onerror='${CODE}'>`"):
        page.evaluate(f"""() => {{ const CODE = 'document.title = "owned"';
            try {{ {attempt} }} catch (err) {{ }} }}""")
    page.wait_for_timeout(500)
    assert page.title() != "owned"
    assert len(page.faults) >= 3 and all("requires 'Trusted" in f for f in page.faults), page.faults
    page.faults.clear()


def test_no_other_page_may_frame_it(curlewd, nginx, open_page):
    web_server = nginx(curlewd())
    page = open_page(f"{web_server.url}/_fetch/healthz")
    page.evaluate("""url => { const frame = document.createElement('iframe'); frame.src = url;
        document.body.append(frame); }""", url_of(web_server))
    page.wait_for_timeout(1000)
    assert not any(frame.locator("#tiles").count() for frame in page.frames)
    page.faults.clear()  # the browser says why


def test_it_is_used_by_the_keyboard_and_can_be_paused(busy, open_page):
    page = open_page(url_of(busy[1]))
    state(page, "Running")
    page.keyboard.press("Tab")
    expect(page.locator("#pause")).to_be_focused()
    page.keyboard.press("Enter")
    state(page, "Paused")
    expect(page.locator("#pause")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Tab")
    expect(page.locator("summary").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("details tbody tr").first).to_be_visible()
    page.locator("#pause").focus()
    page.keyboard.press("Space")
    state(page, "Running")


def test_a_screen_reader_is_told_of_changes_only(busy, open_page):
    """The one live region stays silent while the figures change."""
    page = open_page(url_of(busy[1]))
    state(page, "Running")
    assert page.locator("[role=status], [role=alert], [aria-live]").count() == 1
    page.evaluate("""() => { window.said = 0; new MutationObserver(() => window.said++)
        .observe(document.getElementById('announce'), {childList: true, subtree: true,
        characterData: true}); }""")
    first = page.locator("#facts").inner_text()
    expect(page.locator("#facts")).not_to_have_text(first, timeout=10000)
    assert page.evaluate("window.said") == 0
    for plot in page.locator(".plot").all():
        assert plot.get_attribute("role") == "img" and plot.get_attribute("aria-label")


def test_two_daemons_that_answer_in_turns_are_told(nginx, open_page, curlewd):
    """As replicas behind one address: no restart, and no figures without a word."""
    one = curlewd()
    wait_until("another second", lambda: uptime(one) > 1.1)
    two = curlewd()
    server = f"server unix:{one.socket};"
    page = open_page(url_of(nginx(one, more=[(server, f"{server} server unix:{two.socket};")])))
    expect(page.locator("#note")).to_contain_text("More than one curlewd answers", timeout=15000)
