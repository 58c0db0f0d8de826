"""PostgreSQL and Redis for one machine: given by address, or run by ourselves below CASEBRIDGE_HOME."""

from workers.embedded.errors import ServicesError
from workers.embedded.services import Services, open_services

__all__ = ["Services", "ServicesError", "open_services"]
