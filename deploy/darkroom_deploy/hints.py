"""What to do about the failures that people meet: a table from what a program said. Pure."""

import re

_HINTS = (
    (
        r"ExpiredToken|RequestExpired|token .{0,40}expired|SSO session .{0,40}expired|Token has expired",
        "the credentials have expired: sign in again (`aws sso login`, or renew the session); the same command goes on",
    ),
    (
        r"InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|security token .{0,30}is invalid",
        "AWS does not know these credentials: look at AWS_PROFILE, AWS_ACCESS_KEY_ID and `aws sts get-caller-identity`",
    ),
    (
        r"NoCredentialProviders|No valid credential sources|Unable to locate credentials",
        "there are no AWS credentials: `aws configure sso`, or set AWS_PROFILE",
    ),
    (
        r"Error acquiring the state lock",
        "another run holds the state. If it was killed, `terraform force-unlock ID` with the ID above sets it free",
    ),
    (
        r"VcpuLimitExceeded|VpcLimitExceeded|AddressLimitExceeded|LimitExceeded",
        "a quota of the account is used up: raise it in the console under Service Quotas, then give the same command",
    ),
    (
        r"AccessDenied|UnauthorizedOperation|not authorized to perform",
        "this identity may not do that: docs/how-to/deploy.md says what is needed",
    ),
    (
        r"ResourceAlreadyExists|EntityAlreadyExists|BucketAlready|RepositoryAlreadyExists|already exists",
        "something of that name is there and is not this installation's: give `name` another value, or import it",
    ),
    (
        r"You must be logged in to the server|the server has asked for the client to provide credentials|Unauthorized",
        "the cluster does not know this identity: name it in `admin_arns`, then run the step infrastructure",
    ),
    (
        r"dial tcp .*(timeout|refused)|context deadline exceeded|Client\.Timeout|no such host|TLS handshake timeout",
        "the cluster's API is not reached from here: is this network in `public_access_cidrs` (minimal: your_network)?",
    ),
    (
        r"another operation .* in progress",
        "another Helm is at work on this release: wait for it, then give the same command",
    ),
    (
        r"no space left on device",
        "the disk is full: images of runtimes need about 30 GB while they are built (`docker system prune`)",
    ),
    (
        r"[Cc]annot connect to the Docker daemon|Is the docker daemon running|permission denied .*docker\.sock",
        "Docker does not answer: start it, and see that you may use it",
    ),
    (
        r"BucketNotEmpty|RepositoryNotEmpty|not empty",
        "something is in it: give `destroy` again, it asks what to do with the content",
    ),
)  # fmt: skip


def hint(said: str) -> str | None:
    """What to do, if what a program said is known."""
    return next((advice for pattern, advice in _HINTS if re.search(pattern, said, re.DOTALL)), None)
