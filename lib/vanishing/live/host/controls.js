// What the reader can move (controls.py).

const clamp = (x, low, high) => Math.min(high, Math.max(low, x));

/** Bring any value (from a link, a script, an input) into the control's range. */
function clean(control, value) {
  const { kind, minimum, maximum, step, decimals, options } = control;
  if (kind === "choice") return options.includes(String(value)) ? String(value) : control.value;
  if (kind === "toggle") return value === true || value === 1 || /^(true|on|1)$/.test(value);
  const number = value === "" ? NaN : Number(value);
  if (Number.isNaN(number)) return control.value;
  if (kind === "seed") return clamp(Math.floor(number), 0, 2 ** 31 - 1);
  if (control.log) return clamp(number, minimum, maximum);
  const snapped = minimum + Math.round((clamp(number, minimum, maximum) - minimum) / step) * step;
  return Number(clamp(snapped, minimum, maximum).toFixed(decimals));
}

/** The value of a control as a program takes it. */
function argument(control, value) {
  return control.kind === "choice" ? control.options.indexOf(value) : Number(value);
}

function spoken(control, value) {
  if (control.kind === "toggle") return value ? "on" : "off";
  if (control.kind !== "slider") return String(value);
  return control.log
    ? format(value, { sign: "", digits: 3, type: "g" })
    : value.toFixed(control.decimals);
}

function readInput(control, input) {
  if (control.kind === "toggle") return input.checked;
  if (control.log) return Number((10 ** Number(input.value)).toPrecision(3));
  return input.value;
}

function showInput(control, input, value) {
  if (control.kind === "toggle") input.checked = value;
  else input.value = control.log ? Math.log10(value) : value;
  if (control.kind !== "slider") return;
  input.setAttribute("aria-valuetext", spoken(control, value));
  input.nextElementSibling.textContent = spoken(control, value);
}
