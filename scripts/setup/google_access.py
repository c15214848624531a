"""Who may do what with the bucket: roles, the accounts of the workflows, and everybody else."""

from scripts.setup.google import (
    ACCOUNTS,
    COLLECTOR,
    READERS,
    WRITER,
    Account,
    Role,
    gcloud,
    grants,
    look,
    policy_of_bucket,
    policy_of_project,
)
from scripts.setup.step import Command, Json, Look, Step, Verdict, Wanted, missing, wrong

# Google grants these itself: people who own or edit the project.
OF_PROJECT = ("projectOwner:", "projectEditor:", "projectViewer:")
PEOPLE = ("user:", "group:")


def _role_step(role: Role) -> Step:
    def looks(wanted: Wanted) -> tuple[Look, ...]:
        return (look(wanted, "iam", "roles", "describe", role.name),)

    def judge(wanted: Wanted, found: Json) -> Verdict:
        permissions = f"--permissions={','.join(sorted(role.permissions))}"
        update = gcloud(wanted, "iam", "roles", "update", role.name, permissions)
        if found is None:
            title = f"--title={role.title}"
            made = gcloud(wanted, "iam", "roles", "create", role.name, title, permissions)
            return missing("there is none", made)
        has = {*found.get("includedPermissions", [])}
        if found.get("deleted"):
            back = gcloud(wanted, "iam", "roles", "undelete", role.name)
            return wrong(["it is deleted"], back, *([update] if has != role.permissions else ()))
        more, less = sorted(has - role.permissions), sorted(role.permissions - has)
        problems = (
            *([f"it also has {', '.join(more)}"] if more else ()),
            *([f"it lacks {', '.join(less)}"] if less else ()),
        )
        return wrong(problems, update)

    return Step(f"role {role.name}", role.why, looks, judge, role.needs)


def _account_step(account: Account) -> Step:
    def looks(wanted: Wanted) -> tuple[Look, ...]:
        return (look(wanted, "iam", "service-accounts", "list"),)

    def judge(wanted: Wanted, listed: Json) -> Verdict:
        email = account.email(wanted)
        found = next((one for one in listed or [] if one["email"] == email), None)
        if found is None:
            made = gcloud(wanted, "iam", "service-accounts", "create", account.name)
            return missing("there is none", made)
        problems = ["it is disabled"] if found.get("disabled") else []
        return wrong(problems, gcloud(wanted, "iam", "service-accounts", "enable", email))

    return Step(f"account {account.name}", account.why, looks, judge, account.needs)


def _access_step(account: Account) -> Step:
    def looks(wanted: Wanted) -> tuple[Look, ...]:
        return policy_of_bucket(wanted), policy_of_project(wanted)

    def judge(wanted: Wanted, of_bucket: Json, of_project: Json) -> Verdict:
        due, member = account.role.path(wanted), account.member(wanted)
        roles = {role for one, role in grants(of_bucket) if one == member}
        wide = {role for one, role in grants(of_project) if one == member}
        more = sorted(roles - {due})
        mend = [_binding(wanted, "remove", member, role) for role in more]
        mend += [_binding_of_project(wanted, member, role) for role in sorted(wide)]
        problems = [f"it also has {role}" for role in more]
        problems += [f"it has {role} in the whole project" for role in sorted(wide)]
        if due not in roles:
            mend.insert(0, _binding(wanted, "add", member, due))
            if not problems:
                return missing(f"it does not have {due}", *mend)
            problems.append(f"it does not have {due}")
        return wrong(problems, *mend)

    why = f"It has {account.role.name} on the bucket, and nothing else."
    return Step(f"access of {account.name}", why, looks, judge, account.needs)


def _binding(wanted: Wanted, verb: str, member: str, role: str) -> Command:
    words = (f"gs://{wanted.bucket}", f"--member={member}", f"--role={role}")
    every = ("--all",) if verb == "remove" else ()
    return gcloud(wanted, "storage", "buckets", f"{verb}-iam-policy-binding", *words, *every)


def _binding_of_project(wanted: Wanted, member: str, role: str) -> Command:
    words = ("gcloud", "projects", "remove-iam-policy-binding", wanted.project)
    return Command((*words, f"--member={member}", f"--role={role}", "--all"))


def _judge_others(wanted: Wanted, policy: Json) -> Verdict:
    ours = {account.member(wanted) for account in ACCOUNTS}
    others = [
        (member, role)
        for member, role in grants(policy)
        if member not in ours
        and role not in READERS
        and not member.startswith(OF_PROJECT)
        # People who ingest on their own machine.
        and not (member.startswith(PEOPLE) and role == WRITER.path(wanted))
    ]
    mend = (_binding(wanted, "remove", member, role) for member, role in others)
    return wrong((f"{member} has {role}" for member, role in others), *mend)


STEPS = (
    *map(_role_step, (WRITER, COLLECTOR)),
    *map(_account_step, ACCOUNTS),
    *map(_access_step, ACCOUNTS),
    Step(
        "others who can write",
        "What somebody else writes to the bucket or deletes there is not checked by anything.",
        lambda wanted: (policy_of_bucket(wanted),),
        _judge_others,
        by_hand=True,
    ),
)
