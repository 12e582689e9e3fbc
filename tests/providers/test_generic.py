"""The generic provider keeps the contract; the signatures are those of `standardwebhooks`."""

from standard_webhooks_suite import StandardWebhooksContract


class TestGeneric(StandardWebhooksContract):
    name = "generic"
