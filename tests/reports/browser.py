"""A page in Chromium, with everything that it says and asks for written down."""

from dataclasses import dataclass, field

# Elements that reach beyond the page's width, but for those that scroll in a window of their own.
TOO_WIDE = """width => [...document.body.querySelectorAll("*")].filter(
  node => !node.closest(".scroll > *, .unseen, svg *") && node.getBoundingClientRect().right > width + 0.5
).map(node => `${node.tagName}.${node.className}`).slice(0, 20)"""

OPEN_ALL = "() => { for (const details of document.querySelectorAll('details')) details.open = true; }"

# Of a large report, what repeats is sampled: the first rows and cases, and each that has a style not met before.
THIN_OUT = """() => {
  for (const repeated of ["tbody > tr", ".case", ".bases > li"]) {
    const met = new Map();
    for (const node of document.querySelectorAll(repeated)) {
      const place = node.parentElement;
      if (!met.has(place)) met.set(place, { count: 0, styles: new Set() });
      const own = met.get(place), before = own.styles.size;
      for (const inner of [node, ...node.querySelectorAll("*")]) own.styles.add(inner.tagName + inner.className);
      own.count += 1;
      if (own.count > 12 && own.styles.size === before) node.remove();
    }
  }
}"""

UNNAMED = """() => [...document.querySelectorAll("svg")].filter(node => {
  if (node.closest("[aria-hidden=true]")) return false;
  return node.getAttribute("role") !== "img" || !node.querySelector(":scope > title")?.textContent.trim();
}).length + [...document.querySelectorAll("img:not([alt])")].length"""

HEADLESS_CELLS = """() => [...document.querySelectorAll("table")].filter(table =>
  !table.querySelector("thead th[scope=col]") || [...table.querySelectorAll("th")].some(th => !th.scope)
).length"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A page of a browser, the messages on its console, the errors of its scripts, and what it asked for."""

    page: object
    said: list = field(default_factory=list)
    requested: list = field(default_factory=list)

    def visible(self, selector):
        """Return how many elements that fit the selector are shown."""
        return self.page.locator(f"{selector}:visible").count()


def opened(browser, path, **context):
    """Return the file opened in a context of its own; requests for anything else are noted and refused."""
    page = browser.new_context(**context).new_page()
    page.set_default_timeout(60_000)
    found = Opened(page=page)
    page.on("console", lambda message: found.said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: found.said.append(f"error: {error}"))

    def route(asked):
        found.requested.append(asked.request.url)
        if asked.request.url == path.as_uri():
            asked.continue_()
        else:
            asked.abort()

    page.route("**/*", route)
    page.goto(path.as_uri())
    return found


def serious(axe, opened_page):
    """Return the violations of accessibility rules that axe-core calls serious or critical, each with an element."""

    found = axe.run(opened_page.page, options={"resultTypes": ["violations"]})
    return [
        f"{rule['id']} in {len(rule['nodes'])}: {rule['nodes'][0]['target']}: {rule['nodes'][0]['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in {"serious", "critical"}
    ]
