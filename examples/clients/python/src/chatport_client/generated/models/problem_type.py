from typing import Literal, cast

ProblemType = Literal[
    "/problems/account-not-found",
    "/problems/api-key-not-found",
    "/problems/backend-lacks-part",
    "/problems/backend-not-found",
    "/problems/backlog-full",
    "/problems/body-too-large",
    "/problems/body-too-slow",
    "/problems/body-unreadable",
    "/problems/channel-not-found",
    "/problems/commit-unknown",
    "/problems/conflict",
    "/problems/forbidden",
    "/problems/installation-ambiguous",
    "/problems/installation-not-active",
    "/problems/installation-not-found",
    "/problems/internal",
    "/problems/invalid-body",
    "/problems/invalid-cursor",
    "/problems/invalid-path",
    "/problems/invalid-query",
    "/problems/malformed-json",
    "/problems/message-not-found",
    "/problems/method-not-allowed",
    "/problems/organization-not-found",
    "/problems/overloaded",
    "/problems/platform-unreachable",
    "/problems/public-url-missing",
    "/problems/revision-conflict",
    "/problems/route-not-found",
    "/problems/setup-not-expected",
    "/problems/setup-refused",
    "/problems/storage-low",
    "/problems/subscription-not-found",
    "/problems/too-long",
    "/problems/too-many-requests",
    "/problems/unauthorized",
    "/problems/unavailable",
    "/problems/unsupported-encoding",
    "/problems/unsupported-media-type",
]


def check_problem_type(value: str) -> ProblemType:
    """A later Chatport may know more values: they are let through."""
    return cast(ProblemType, value)
