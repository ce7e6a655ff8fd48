"""The embedded stack: real Kafka and Valkey out of Python packages, on loopback, never production.

with Stack(Path("data"), owned=True) as stack:
    use(stack.endpoints.kafka_bootstrap, stack.endpoints.redis_url)
"""

from .endpoints import Endpoints, KafkaSecurity
from .errors import StackError
from .kafka_server import KafkaServer
from .progress import Console, Progress, Silent
from .stack import ServerStatus, Stack, running_endpoints
from .valkey_server import ValkeyServer

__all__ = [
    "Console",
    "Endpoints",
    "KafkaSecurity",
    "KafkaServer",
    "Progress",
    "ServerStatus",
    "Silent",
    "Stack",
    "StackError",
    "ValkeyServer",
    "running_endpoints",
]
