// SPDX-License-Identifier: Apache-2.0
// Shows openapi.json as a page: every path with its parameters and answers.
"use strict";

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function table(heads, rows) {
  const made = element("table"), head = element("tr");
  for (const text of heads) head.append(element("th", text));
  made.append(head);
  for (const row of rows) {
    const line = element("tr");
    row.forEach((text, i) => { const cell = element("td"); cell.append(i === 0 ? element("code", text) : text); line.append(cell); });
    made.append(line);
  }
  return made;
}

function kind(schema) {
  if (!schema) return "";
  if (schema.enum) return schema.enum.join(" | ");
  const bounds = schema.minimum !== undefined && schema.maximum !== undefined ? ` ${schema.minimum}–${schema.maximum}` : "";
  const usual = schema.default !== undefined ? `, else ${schema.default}` : "";
  return `${[].concat(schema.type ?? "any").join(" or ")}${bounds}${usual}`;
}

function operation(api, path, method, op) {
  const box = element("details"), title = element("summary");
  const resolve = (thing) => thing.$ref ? thing.$ref.slice(2).split("/").reduce((at, name) => at[name], api) : thing;
  title.append(element("span", method.toUpperCase(), `method ${method}`), " ", element("code", path), element("span", op.summary, "summary"));
  box.append(title);
  if (op.description) box.append(element("p", op.description));
  const parameters = (op.parameters ?? []).map(resolve);
  if (parameters.length)
    box.append(table(["parameter", "in", "type", ""], parameters.map((p) => [p.name, p.in, kind(resolve(p.schema)), p.description ?? ""])));
  box.append(table(["answer", ""], Object.entries(op.responses).map(([code, answer]) => [code, resolve(answer).description])));
  return box;
}

async function show() {
  const main = document.getElementById("docs"), api = await (await fetch("/openapi.json")).json(), groups = new Map();
  for (const [path, methods] of Object.entries(api.paths))
    for (const [method, op] of Object.entries(methods)) {
      const tag = op.tags?.[0] ?? "other";
      groups.set(tag, [...(groups.get(tag) ?? []), operation(api, path, method, op)]);
    }
  main.append(element("p", api.info.description));
  for (const [tag, boxes] of groups) main.append(element("h2", tag), ...boxes);
}

show().catch((failure) => document.getElementById("docs").append(element("p", `It could not be loaded: ${failure.message}`)));
