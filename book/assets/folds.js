// The theme gives whatever scrolls sideways a place in the tab order when the page loads or its window changes size; what
// is folded away has no width then. So each unfolding asks the theme to look again.
(() => {
  const lookAgain = () => window.dispatchEvent(new Event("resize"));
  document.addEventListener("toggle", lookAgain, true);
  document.addEventListener("click", event => {
    if (event.target.closest(".toggle-button, .admonition-title")) lookAgain();
  });
})();
