import pytest

pytest.register_assert_rewrite("contract_suite", "standard_webhooks_suite")
