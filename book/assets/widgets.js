// Where the widget manager finds its fonts and the module of the live figures: beside this script, not beside the page.
(() => {
  const folder = document.currentScript.src.replace(/[^/]*$/, "vendor/");
  const manager = folder + "html-manager/";
  const name = "@jupyter-widgets/html-manager";
  requirejs.config({
    paths: {
      [name]: manager + "manager",
      [name + "/dist/libembed-amd"]: manager + "embed-amd",
      anywidget: folder + "anywidget/index",
    },
  });
})();

// The widget manager still asks the queue of MathJax 2 to typeset; the book carries MathJax 3.
window.addEventListener("load", () => {
  if (window.MathJax?.typesetPromise) {
    window.MathJax.Hub = { Queue: ([, , element]) => window.MathJax.typesetPromise([element]) };
  }
});
