"""telemelya, a mock of the Bot API, on a port of this machine: serve_telemelya.py PORT.

Where its Redis is, and whose requests it takes, it reads from the environment. Pictures would need
an object store; nobody sends any here.
"""

import sys

import uvicorn
from telemelya.server.media import media_manager


async def nothing(*_):
    """There is no object store to connect to."""


media_manager.connect = nothing
media_manager.close = nothing

if __name__ == "__main__":
    from telemelya.server.app import app

    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
