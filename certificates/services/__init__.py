"""The use cases around certificates; each function is one, with its own transaction."""

from certificates.services.adoption import adopt, adopt_waiting
from certificates.services.affected import Affected, affected
from certificates.services.alerts import acknowledge_alert, keep_alerts, watch_issuers
from certificates.services.authorities import complete_ca, make_ca, take_over_ca
from certificates.services.bundles import Candidate, Look, look
from certificates.services.details import archive, export, update_details
from certificates.services.expiry import update_expiry_statuses
from certificates.services.importing import AlreadyImported, SerialTaken, import_pem, record_ca
from certificates.services.lifecycle import (
    Origin,
    add_version,
    mark_failed,
    move_under,
    register,
    settle,
    start_renewal,
)
from certificates.services.many import revoke_many
from certificates.services.old_crls import WrongCRL, import_crls
from certificates.services.policies import create_policy, delete_policy, update_policy
from certificates.services.revocation import release_hold, revoke
from certificates.services.tables import MOST_EXPORTED, export_list

__all__ = [
    "MOST_EXPORTED",
    "Affected",
    "AlreadyImported",
    "Candidate",
    "Look",
    "Origin",
    "SerialTaken",
    "WrongCRL",
    "acknowledge_alert",
    "add_version",
    "adopt",
    "adopt_waiting",
    "affected",
    "archive",
    "complete_ca",
    "create_policy",
    "delete_policy",
    "export",
    "export_list",
    "import_crls",
    "import_pem",
    "keep_alerts",
    "look",
    "make_ca",
    "mark_failed",
    "move_under",
    "record_ca",
    "register",
    "release_hold",
    "revoke",
    "revoke_many",
    "settle",
    "start_renewal",
    "take_over_ca",
    "update_details",
    "update_expiry_statuses",
    "update_policy",
    "watch_issuers",
]
