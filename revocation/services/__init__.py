"""The use cases around bulk revocation; each function is one, with its own transactions."""

from revocation.services.bulk import BulkResult, OutcomeOf, bulk_revoke, result_of
from revocation.services.control import pause_plan, resume_plan, stop_plan
from revocation.services.criteria import CRITERIA, InvalidCriteria, brief
from revocation.services.deciding import confirm_plan, look_at_plan
from revocation.services.plans import create_plan, expire_plans
from revocation.services.preview import Preview, preview_revocation
from revocation.services.reports import HEADING, Line, items_of, lines, summary, to_csv
from revocation.services.waves import run_plans

__all__ = [
    "CRITERIA",
    "HEADING",
    "BulkResult",
    "InvalidCriteria",
    "Line",
    "OutcomeOf",
    "Preview",
    "brief",
    "bulk_revoke",
    "confirm_plan",
    "create_plan",
    "expire_plans",
    "items_of",
    "lines",
    "look_at_plan",
    "pause_plan",
    "preview_revocation",
    "result_of",
    "resume_plan",
    "run_plans",
    "stop_plan",
    "summary",
    "to_csv",
]
