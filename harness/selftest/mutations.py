"""The table of all mutations: what must be caught, in every pin to which it applies."""

from harness.selftest.class_mutations import CLASS_MUTATIONS
from harness.selftest.input_mutations import INPUT_MUTATIONS
from harness.selftest.joint_mutations import JOINT_MUTATIONS
from harness.selftest.likelihood_mutations import LIKELIHOOD_MUTATIONS
from harness.selftest.mutation import Mutation
from harness.selftest.pin_mutations import PIN_MUTATIONS
from harness.selftest.presence_mutations import PRESENCE_MUTATIONS
from harness.selftest.value_mutations import VALUE_MUTATIONS

MUTATIONS: tuple[Mutation, ...] = (
    *VALUE_MUTATIONS,
    *PRESENCE_MUTATIONS,
    *INPUT_MUTATIONS,
    *LIKELIHOOD_MUTATIONS,
    *JOINT_MUTATIONS,
    *CLASS_MUTATIONS,
    *PIN_MUTATIONS,
)
