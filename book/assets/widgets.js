// Where the widget manager looks for its fonts: beside its script, not beside the page.
(() => {
  const folder = document.currentScript.src.replace(/[^/]*$/, "vendor/html-manager/");
  const name = "@jupyter-widgets/html-manager";
  requirejs.config({ paths: { [name]: folder + "manager", [name + "/dist/libembed-amd"]: folder + "embed-amd" } });
})();

// The widget manager still asks the queue of MathJax 2 to typeset; the book carries MathJax 3.
window.addEventListener("load", () => {
  if (window.MathJax?.typesetPromise) {
    window.MathJax.Hub = { Queue: ([, , element]) => window.MathJax.typesetPromise([element]) };
  }
});
