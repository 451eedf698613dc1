// Lets xterm.js style itself on pages whose security policy forbids styles in markup.
//
// It fills <style> elements and writes style attributes. The policy forbids both, but neither
// constructed style sheets nor the style property, which do the same.

function standIn() {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  // An inert element in place of <style>, which would be forbidden even if empty.
  const element = Document.prototype.createElement.call(document, "template");
  Object.defineProperty(element, "textContent", { set: (css) => sheet.replaceSync(css) });
  return element;
}

function setAttribute(name, value) {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}

function createElement(name) {
  if (name === "style") return standIn();
  const element = Document.prototype.createElement.call(document, name);
  if (name === "span") element.setAttribute = setAttribute;
  return element;
}

// Opens `widget` in `parent`. The one place that knows the insides of xterm.js, whose version is
// therefore locked.
export function openWithoutInlineStyles(widget, parent) {
  document.createElement = createElement;
  try {
    widget.open(parent);
  } finally {
    delete document.createElement;
  }
  widget._core._renderService._renderer.value._rowFactory._document = { createElement };
}
