// A table that scrolls sideways has a place in the tab order, as the theme gives it to code that does.
(() => {
  const look = () => {
    for (const box of document.querySelectorAll(".pst-scrollable-table-container")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  addEventListener("load", look);
  addEventListener("resize", look);
})();
