// The page is complete without this: it only filters, and opens what a link or the printer needs.
const filters = document.getElementById("filters");
const items = [...document.querySelectorAll("[data-outcome]")];

function openTarget() {
  const target = document.getElementById(location.hash.slice(1));
  const closed = target && target.closest("details:not([open])");
  if (closed) {
    closed.open = true;
    target.scrollIntoView();
  }
}

addEventListener("hashchange", openTarget);
openTarget();

let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const details of opened) details.open = true;
});
addEventListener("afterprint", () => {
  for (const details of opened) details.open = false;
});

if (filters) {
  const buttons = [...filters.querySelectorAll("button")];
  const search = document.getElementById("search");
  let show = "all";

  function apply() {
    const wanted = search.value.trim().toLowerCase();
    for (const item of items) {
      const fits = (show === "all" || item.dataset.outcome === show) && item.dataset.words.includes(wanted);
      item.hidden = !fits;
    }
    for (const row of document.querySelectorAll(".matrix:not(.digits) tbody tr")) {
      row.hidden = !row.querySelector(".cell:not([hidden])");
    }
    for (const page of document.querySelectorAll(".case")) {
      page.hidden = !page.querySelector(".comparison:not([hidden])");
    }
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.show === show));
    const cells = document.querySelectorAll(".matrix .cell");
    const left = document.querySelectorAll(".matrix .cell:not([hidden])");
    document.getElementById("shown").textContent = `${left.length} of ${cells.length} shown`;
  }

  for (const button of buttons) {
    button.addEventListener("click", () => {
      show = button.dataset.show;
      apply();
    });
  }
  search.addEventListener("input", apply);
  filters.hidden = false;
  apply();
}
