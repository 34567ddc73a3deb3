"""Use cases on targets and deployments; `targets` writes what people say, `work` what happens."""

from deployments.connectors.base import Check, Material, Outcome
from deployments.services.targets import (
    TargetInUse,
    check_target,
    create_target,
    delete_target,
    longest,
    update_target,
    warnings_of,
)
from deployments.services.work import (
    LONGEST_VALIDATION,
    NotBound,
    NotForTargets,
    Seen,
    TargetDisabled,
    bind,
    check_enabled,
    deploy,
    record_deployed,
    record_seen,
    unbind,
    validate,
)

__all__ = [
    "LONGEST_VALIDATION",
    "Check",
    "Material",
    "NotBound",
    "NotForTargets",
    "Outcome",
    "Seen",
    "TargetDisabled",
    "TargetInUse",
    "bind",
    "check_enabled",
    "check_target",
    "create_target",
    "delete_target",
    "deploy",
    "longest",
    "record_deployed",
    "record_seen",
    "unbind",
    "update_target",
    "validate",
    "warnings_of",
]
