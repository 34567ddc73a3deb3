"""Use cases on targets and deployments; `targets` writes what people say, `work` what happens."""

from deployments.connectors.base import Check, Material, Outcome
from deployments.services.targets import (
    TargetInUse,
    check_target,
    create_target,
    delete_target,
    update_target,
)
from deployments.services.work import (
    Seen,
    TargetDisabled,
    bind,
    deploy,
    record_deployed,
    record_seen,
    validate,
)

__all__ = [
    "Check",
    "Material",
    "Outcome",
    "Seen",
    "TargetDisabled",
    "TargetInUse",
    "bind",
    "check_target",
    "create_target",
    "delete_target",
    "deploy",
    "record_deployed",
    "record_seen",
    "update_target",
    "validate",
]
