// Keeps the list of open codes fresh while the page is in view. Everything works without it.
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
    // The simulator is gone; the next round will tell.
  }
}
setInterval(refresh, 1500);
