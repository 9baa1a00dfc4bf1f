// Refreshes the list of open codes while the page is visible. The page also works without it.
const list = document.getElementById("codes");
async function refresh() {
  if (document.visibilityState !== "visible" || !list) return;
  try {
    const answer = await fetch("/phone/codes", { cache: "no-store" });
    if (answer.ok) {
      const fresh = await answer.text();
      // Unchanged: leave it, so that the focus stays where it is.
      if (fresh !== list.dataset.shown) list.innerHTML = list.dataset.shown = fresh;
    }
  } catch {
    // The simulator does not answer; try again in the next round.
  }
}
setInterval(refresh, 1500);
