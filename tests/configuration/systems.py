"""Two made-up systems, so that the tests of the core stay as they are when a real connector's settings change."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from pipeline.connector import Connector, Variable

VALID = """\
version: 1
partners:
  - {key: acme, name: Acme, dock: prt_acme, desk: {organization: "500", branch: 0501}}
  - {key: globex, dock: 17}
desk: {project: 12, statuses: {On: new, 12: closed, "In Progress": new}, fields: {po: 7}}
settings: {status_settle_seconds: 1}
"""


class Limit(Schema):
    """One entry of a list."""

    amount = fields.Integer(strict=True, required=True, validate=validate.Range(min=1))


class Dock(Schema):
    """Everything has a default; messages are marshmallow's own."""

    to = fields.String(load_default="thread", validate=validate.OneOf(("thread", "both")))
    loud = fields.Boolean(load_default=False)
    limits = fields.List(fields.Nested(Limit), load_default=list)


class Desk(Schema):
    """One key is required; messages say found and expected, as the connectors' do."""

    project = fields.Integer(
        strict=True,
        required=True,
        error_messages={"invalid": "found {input!r}, expected the number of the project",
                        "required": "found nothing, expected the number of the project"},
    )  # fmt: skip
    statuses = fields.Dict(
        fields.String(),
        fields.String(validate=validate.OneOf(("new", "closed"), error="found {input!r}, expected one of {choices}")),
        load_default=dict,
    )
    numbers = fields.Dict(
        fields.String(validate=validate.OneOf(("a", "b"))), fields.Integer(strict=True), load_default=dict
    )
    field_ids = fields.Dict(fields.String(), fields.Integer(strict=True), data_key="fields", load_default=dict)

    @validates_schema
    def statuses_and_fields_differ(self, data: Mapping[str, Any], **_: Any) -> None:
        """A check of the whole section, which names the key by its attribute."""
        if both := sorted(set(data["statuses"]) & set(data["field_ids"])):
            raise ValidationError(f"found {both[0]} in both, expected it once", "field_ids")


VARIABLES = {
    "dock": (Variable("DOCK_URL", "address of the dock"), Variable("DOCK_SECRET", "its secret", secret=True)),
    "desk": (Variable("DESK_USER", "our user", required=False),),
}


def systems() -> Mapping[str, Connector]:
    """What the configuration and the environment ask of connectors, and no more."""
    return {
        name: cast("Connector", SimpleNamespace(name=name, title=title, section=section, variables=VARIABLES[name]))
        for name, title, section in (("desk", "Front Desk", Desk), ("dock", "Dock", Dock))
    }
