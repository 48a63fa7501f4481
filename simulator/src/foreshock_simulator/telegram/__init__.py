"""A Telegram Bot API that runs on loopback, with a chat page, so that a demo needs no token.

Parts, from the pure to the outside::

    errors  model  markup        what Telegram answers, stores and parses
    updates  chats  faults       the state: pending updates, chats, ordered misbehaviour
    requests  methods            Bot API methods over the state
    polling  live                waiting for updates; what an open page is told
    bot_api  page_api  server    HTTP
    settings  __main__           the process
"""
