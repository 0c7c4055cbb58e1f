// Renders openapi.json: operations by tag, events, problems, schemas. Everything is put in
// as text, never as markup, so nothing in the description can become a script.
"use strict";

const METHODS = ["get", "put", "post", "patch", "delete"];

function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

// The little of CommonMark that descriptions use: paragraphs, lists, `code`, **strong**.
function prose(text) {
  const inline = (line) => line.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((piece) => {
    if (piece.length > 2 && piece.startsWith("`")) return element("code", {}, piece.slice(1, -1));
    if (piece.length > 4 && piece.startsWith("**")) return element("strong", {}, piece.slice(2, -2));
    return piece;
  });
  return (text || "").split(/\n\s*\n/).filter((block) => block.trim()).map((block) => {
    const lines = block.split("\n");
    if (lines.every((line) => /^\s*[-*] /.test(line))) {
      return element("ul", {}, lines.map((line) => element("li", {}, inline(line.replace(/^\s*[-*] /, "")))));
    }
    return element("p", {}, inline(lines.join(" ")));
  });
}

const lastPart = (reference) => reference.split("/").pop();

// A schema in a few words, with links to named ones.
function kind(schema) {
  if (schema === undefined || schema === true) return ["anything"];
  if (schema === false) return ["nothing"];
  if (schema.$ref) {
    const name = lastPart(schema.$ref);
    return [element("a", { href: "#schema-" + name }, name)];
  }
  const options = schema.oneOf || schema.anyOf || schema.allOf;
  if (options && !schema.properties) {
    return options.flatMap((option, index) => (index ? [" | ", ...kind(option)] : kind(option)));
  }
  if (schema.const !== undefined) return [element("code", {}, JSON.stringify(schema.const))];
  if (schema.enum) {
    return schema.enum.flatMap((value, index) => [index ? " | " : "", element("code", {}, JSON.stringify(value))]);
  }
  const types = [].concat(schema.type || "anything");
  return types.flatMap((type, index) => {
    const words = type === "array" ? ["list of ", ...kind(schema.items)] : [type];
    if (type === "string" && schema.format) words.push(" (" + schema.format + ")");
    return index ? [" | ", ...words] : words;
  });
}

const LIMITS = {
  minimum: "at least", maximum: "at most", minLength: "characters at least", maxLength: "characters at most",
  minItems: "items at least", maxItems: "items at most", pattern: "matches",
};

function limits(schema) {
  const words = Object.entries(LIMITS)
    .filter(([key]) => schema[key] !== undefined)
    .map(([key, text]) => text + " " + schema[key]);
  if (schema.default !== undefined && schema.default !== null) words.push("usually " + JSON.stringify(schema.default));
  return words.length ? element("span", { class: "quiet" }, " · " + words.join(", ")) : null;
}

// The inside of a schema, as far as it isn't said by its kind.
function fields(schema) {
  if (!schema || typeof schema !== "object") return [];
  const parts = [];
  if (schema.properties) {
    const required = new Set(schema.required || []);
    parts.push(element("ul", { class: "fields" }, Object.entries(schema.properties).map(([name, inner]) =>
      element("li", {},
        element("code", {}, name), " ", kind(inner), required.has(name) ? "" : element("span", { class: "quiet" }, " optional"),
        typeof inner === "object" ? limits(inner) : null,
        prose(inner.description), inner.$ref ? [] : fields(inner)))));
  }
  for (const option of schema.oneOf || schema.anyOf || schema.allOf || []) {
    if (option.properties || option.description) {
      parts.push(element("div", {}, prose(option.description), fields(option)));
    }
  }
  if (schema.items && !schema.items.$ref) parts.push(...fields(schema.items));
  if (schema.additionalProperties && typeof schema.additionalProperties === "object") {
    parts.push(element("p", {}, "Other keys: ", kind(schema.additionalProperties)), ...fields(schema.additionalProperties));
  }
  return parts;
}

function content(holder) {
  return Object.entries((holder && holder.content) || {}).map(([mediaType, { schema }]) =>
    element("div", {}, element("p", {}, element("code", {}, mediaType), " ", kind(schema)), schema && schema.$ref ? [] : fields(schema)));
}

function parameterTable(parameters) {
  if (!parameters || !parameters.length) return [];
  const rows = parameters.map((parameter) => element("tr", {},
    element("td", {}, element("code", {}, parameter.name)),
    element("td", {}, parameter.in + (parameter.required ? "" : ", optional")),
    element("td", {}, kind(parameter.schema), limits(parameter.schema), prose(parameter.description))));
  const head = ["Name", "Place", "Meaning"].map((word) => element("th", { scope: "col" }, word));
  return [element("h4", {}, "Parameters"),
    element("table", {}, element("thead", {}, element("tr", {}, head)), element("tbody", {}, rows))];
}

function answers(responses) {
  const isProblem = (response) => Boolean(response.content && response.content["application/problem+json"]);
  const good = Object.entries(responses).filter(([, response]) => !isProblem(response));
  const bad = Object.entries(responses).filter(([, response]) => isProblem(response));
  const parts = [element("h4", {}, "Answers")];
  for (const [status, response] of good) {
    parts.push(element("div", {}, element("p", {}, element("strong", {}, status), " ", response.description), content(response)));
  }
  if (bad.length) {
    const list = element("ul", {}, bad.map(([status, response]) => {
      const slugs = Object.keys(response.content["application/problem+json"].examples || {});
      return element("li", {}, status + " ", slugs.flatMap((slug, index) =>
        [index ? ", " : "", element("a", { href: "#problem-" + slug }, slug)]));
    }));
    parts.push(element("details", {}, element("summary", {}, "Problems"), list));
  }
  return parts;
}

function example(method, path, operation, needsKey) {
  const lines = ["curl -X " + method.toUpperCase() + " \"" + location.origin + path.replace(/{(\w+)}/g, "$$$1") + "\""];
  if (needsKey) lines.push("  -H \"Authorization: Bearer $CHATPORT_API_KEY\"");
  if (operation.requestBody) lines.push("  -H \"Content-Type: application/json\"", "  -d @body.json");
  return element("details", {}, element("summary", {}, "As a command"), element("pre", { tabindex: "0" }, lines.join(" \\\n")));
}

function operationArticle(method, path, operation) {
  const scopes = (operation.security || []).flatMap((entry) => Object.values(entry).flat());
  const needsKey = Boolean(operation.security && operation.security.length);
  const article = element("article", { id: "operation-" + operation.operationId, "aria-labelledby": "title-" + operation.operationId },
    element("h3", { id: "title-" + operation.operationId }, element("span", { class: "method " + method }, method), path),
    element("p", {}, operation.summary + ". ",
      element("span", { class: "quiet" }, needsKey ? "Needs an API key with the scope " : "Needs no API key."),
      needsKey ? element("code", {}, scopes.join(", ")) : null),
    prose(operation.description), parameterTable(operation.parameters));
  if (operation.requestBody) article.append(element("h4", {}, "Body"), ...content(operation.requestBody));
  article.append(...answers(operation.responses), example(method, path, operation, needsKey));
  article.dataset.search = [method, path, operation.operationId, operation.summary].join(" ").toLowerCase();
  return article;
}

function section(id, title, ...children) {
  return element("section", { id, "aria-label": title }, element("h2", {}, title), ...children);
}

function navigation(title, links) {
  return element("div", {}, element("h2", {}, title),
    element("ul", {}, links.map(([href, text]) => element("li", {}, element("a", { href }, text)))));
}

function tagParts(description) {
  const all = Object.entries(description.paths).flatMap(([path, methods]) =>
    METHODS.filter((method) => methods[method]).map((method) => ({ method, path, operation: methods[method] })));
  return description.tags.map((tag) => {
    const mine = all.filter(({ operation }) => operation.tags.includes(tag.name));
    const id = "tag-" + tag.name.toLowerCase().replace(/\W+/g, "-");
    return {
      view: section(id, tag.name, prose(tag.description),
        mine.map(({ method, path, operation }) => operationArticle(method, path, operation))),
      links: navigation(tag.name, mine.map(({ operation }) => ["#operation-" + operation.operationId, operation.summary])),
    };
  });
}

function eventSection(webhooks) {
  const names = Object.keys(webhooks || {});
  if (!names.length) return null;
  return section("events", "Events", names.map((name) => element("article", { id: "event-" + name },
    element("h3", {}, name), prose(webhooks[name].post.summary), content(webhooks[name].post.requestBody),
    answers(webhooks[name].post.responses))));
}

function problemSection(problems) {
  return section("problems", "Problems", problems.map((problem) => element("article", { id: "problem-" + problem.slug },
    element("h3", {}, problem.status + " " + problem.slug), prose(problem.title + "."), prose(problem.cure))));
}

function schemaSection(schemas) {
  return section("schemas", "Schemas", Object.entries(schemas).map(([name, schema]) =>
    element("article", { id: "schema-" + name }, element("h3", {}, name),
      prose(schema.description), element("p", {}, kind(schema), limits(schema)), fields(schema))));
}

function filterBy(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const article of document.querySelectorAll("article[data-search]")) {
    article.hidden = !words.every((word) => article.dataset.search.includes(word));
    const link = document.querySelector("nav a[href=\"#" + CSS.escape(article.id) + "\"]");
    if (link) link.parentElement.hidden = article.hidden;
  }
}

async function main() {
  const status = document.getElementById("status");
  status.textContent = "Loading…";
  const response = await fetch("openapi.json");
  if (!response.ok) throw new Error("openapi.json: " + response.status);
  const description = await response.json();
  document.title = description.info.title;
  document.getElementById("title").textContent = description.info.title + " " + description.info.version;
  const parts = tagParts(description);
  const events = eventSection(description.webhooks);
  document.getElementById("content").append(...prose(description.info.description), ...parts.map(({ view }) => view),
    ...(events ? [events] : []), problemSection(description["x-problems"]), schemaSection(description.components.schemas));
  const more = [["#problems", "Problems"], ["#schemas", "Schemas"]];
  if (events) more.unshift(["#events", "Events"]);
  document.getElementById("contents").append(...parts.map(({ links }) => links), navigation("More", more));
  document.getElementById("filter").addEventListener("input", (event) => filterBy(event.target.value));
  status.remove();
  // What the address points to has only just come to be.
  if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

main().catch((error) => {
  document.getElementById("status").textContent = "The description can't be shown: " + error.message;
});
