/** Elements, made and found. Text is always set as text: what a provider or a file says is never markup. */

/**
 * Finds what `index.html` has under an id.
 * @template {Element} Kind
 * @param {string} id
 * @param {abstract new () => Kind} kind
 * @returns {Kind}
 */
export function find(id, kind) {
  const element = document.getElementById(id)
  if (!(element instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`)
  return element
}

/**
 * Makes an element.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {string} [classes]
 * @param {string} [text]
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function make(name, classes = '', text = '') {
  const element = document.createElement(name)
  if (classes) element.className = classes
  if (text) element.textContent = text
  return element
}

/**
 * Sets the text of an element, if it is another one: a text that is set again is read out again.
 * @param {Element} element
 * @param {string} text
 */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text
}

/**
 * Sets an attribute, if it has another value.
 * @param {Element} element
 * @param {string} name
 * @param {string} value
 */
export function set(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value)
}

/**
 * Gives a list as many children as there are values, keeping those that are there, and fills each of them.
 * @template {HTMLElement} Child
 * @template Value
 * @param {Element} parent
 * @param {readonly Value[]} values
 * @param {() => Child} create
 * @param {(child: Child, value: Value, at: number) => void} fill
 */
export function list(parent, values, create, fill) {
  while (parent.children.length > values.length) parent.lastElementChild?.remove()
  values.forEach((value, at) => {
    const child = /** @type {Child | undefined} */ (parent.children[at]) ?? parent.appendChild(create())
    fill(child, value, at)
  })
}
