"""What the courier does for the API, named by strings: the API never imports it.

Two queues, each with processes of its own: a receiver that hangs delays no words.
"""

WORDS_QUEUE = "light-words"
FIND_WORDS = "workers.prompt_words.find_words"

WEBHOOK_QUEUE = "light-webhooks"
DELIVER = "workers.webhook_delivery.deliver"

LIGHT_QUEUE_NAMES = (WORDS_QUEUE, WEBHOOK_QUEUE)
