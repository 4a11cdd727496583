"""fetch.py MODE URL: print what URL answers. MODE: blocking (urllib) or nonblocking (asyncio)."""
import asyncio
import os
import signal
import sys
import urllib.error
import urllib.parse
import urllib.request

TIMEOUT = 5


def fail(error):
    number = getattr(error, "errno", None)
    print("error:", os.strerror(number) if number and number > 0 else str(error) or type(error).__name__, file=sys.stderr)
    sys.exit(1)


def expired(*_):
    raise TimeoutError("timed out")


def blocking(url):
    signal.signal(signal.SIGALRM, expired)
    signal.alarm(TIMEOUT)  # not urlopen's own timeout, which makes the socket a non-blocking one
    return urllib.request.urlopen(url).read()


async def exchange(url):
    parts = urllib.parse.urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    writer.write(f"GET {parts.path or '/'} HTTP/1.0\r\nHost: {parts.hostname}\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.partition(b"\r\n\r\n")[2]


def nonblocking(url):
    return asyncio.run(asyncio.wait_for(exchange(url), TIMEOUT))


mode, url = sys.argv[1:]
try:
    body = blocking(url) if mode == "blocking" else nonblocking(url)
except urllib.error.URLError as error:
    fail(error.reason)
except OSError as error:
    fail(error)
except asyncio.TimeoutError:
    fail("timed out")
sys.stdout.write(body.decode())
