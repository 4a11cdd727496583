"""aio.py URL: print what URL answers, by aiohttp."""
import asyncio
import ssl
import sys

import aiohttp


async def main():
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context())
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.get(sys.argv[1]) as answer:
            print(await answer.text())


asyncio.run(main())
