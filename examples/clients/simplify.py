"""Writes the API's description in the words that the generators of the clients understand best.

    simplify.py python|typescript docs/openapi.json simplified.json

What applications call stays, and what is answered where all went well; problems are the same everywhere and are
read by the hand-written parts.
"""

import json
import sys


def called_by_applications(document):
    for path in [path for path in document["paths"] if not path.startswith("/v1/")]:
        del document["paths"][path]
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"] = {
                status: with_json(answer) for status, answer in operation["responses"].items() if status < "400"
            }


def for_python(document):
    """An event of a kind that the client doesn't know is an `UnknownEvent`, since more kinds may come."""
    del document["webhooks"]
    schemas = document["components"]["schemas"]
    unknown = json.loads(json.dumps(schemas["ActionInvokedEvent"]))
    unknown["description"] = "An event of a kind that this client doesn't know."
    unknown["properties"] |= {"type": {"type": "string"}, "data": {}}
    schemas["UnknownEvent"] = unknown
    schemas["AnyEvent"] = {"anyOf": schemas["AnyEvent"]["oneOf"] + [{"$ref": "#/components/schemas/UnknownEvent"}]}
    for name, schema in schemas.items():
        name_options(name, schema.get("oneOf", []))
    document["components"]["schemas"] = plainer(schemas)


def name_options(name, options):
    """Objects that stand only in a choice get a name: by their kind, or by the one member that they need."""
    for option in options:
        if option.get("type") == "object" and "title" not in option:
            kind = option["properties"].get("kind", {}).get("const")
            option["title"] = capitalized(kind) + name if kind else name + capitalized(option["required"][0])


def capitalized(words):
    return "".join(word.capitalize() for word in words.split("_"))


def with_json(answer):
    """The answer without its other forms, e.g. a stream."""
    answer["content"] = {kind: form for kind, form in answer.get("content", {}).items() if kind == "application/json"}
    return answer


def plainer(value):
    """Words that are each described become an enumeration; a schema that takes anything is an empty object."""
    if isinstance(value, list):
        return [plainer(item) for item in value]
    if not isinstance(value, dict):
        return value
    value = {name: {} if name == "items" and member is True else plainer(member) for name, member in value.items()}
    options = value.get("oneOf", [])
    if options and all("const" in option for option in options):
        value |= {"type": "string", "enum": [option["const"] for option in options]}
        del value["oneOf"]
    return value


if __name__ == "__main__":
    language, source, target = sys.argv[1:]
    with open(source) as file:
        document = json.load(file)
    called_by_applications(document)
    if language == "python":
        for_python(document)
    with open(target, "w") as file:
        json.dump(document, file, indent=1)
