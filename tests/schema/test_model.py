"""A model is a frozen value at once, and a GraphQL type when somebody asks for it as one."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError, fields
from decimal import Decimal
from enum import StrEnum

import pytest
import strawberry

from schema.model import DEFINITION, Definition, choices, computed, described, model
from schema.refusals import SHARED, refusals
from schema.scalars import SCALARS


def doubled(root: Leaf) -> Decimal:
    return root.size * 2


@strawberry.interface(description="Anything with a name.")
class Named:
    name: str = strawberry.field(description="What it is called.")


@model("A tree.", implements=(Named,))
class Tree:
    name: str = described("What it is called.")
    leaves: tuple[Leaf, ...] = described("All of them.", default=())
    parent: Tree | None = described("What it grew from.", default=None)
    hidden: strawberry.Private[int] = 3


@model("A leaf of a tree.", name="Blade")
class Leaf:
    tree: Tree | None = described("Where it hangs.", default=None)
    size: Decimal = described("In square centimetres.", name="area")
    twice = computed(doubled, "Twice its size.")


def grown() -> Tree:
    return Tree(name="oak", leaves=(Leaf(size=Decimal("1.50")),), parent=Tree(name="acorn"))


@strawberry.type
class Query:
    tree: Tree = strawberry.field(resolver=grown, description="The one.")


def test_models_that_name_each_other_become_types_of_one_schema():
    shown = strawberry.Schema(Query, config=strawberry.schema.config.StrawberryConfig(scalar_map=SCALARS)).as_str()

    assert (
        'type Tree implements Named {\n  """What it is called."""\n  name: String!\n\n'
        '  """All of them."""\n  leaves: [Blade!]!\n\n  """What it grew from."""\n  parent: Tree\n}'
    ) in shown
    assert (
        'type Blade {\n  """Where it hangs."""\n  tree: Tree\n\n'
        '  """In square centimetres."""\n  area: Decimal!\n\n  """Twice its size."""\n  twice: Decimal!\n}'
    ) in shown


def test_a_query_reads_plain_and_computed_fields():
    schema = strawberry.Schema(Query, config=strawberry.schema.config.StrawberryConfig(scalar_map=SCALARS))

    answer = schema.execute_sync("{ tree { __typename name leaves { __typename area twice } parent { name } } }")

    assert answer.errors is None
    assert answer.data == {
        "tree": {
            "__typename": "Tree", "name": "oak", "parent": {"name": "acorn"},
            "leaves": [{"__typename": "Blade", "area": "1.50", "twice": "3.00"}],
        }
    }  # fmt: skip


def test_a_model_is_a_frozen_value_with_slots_compared_by_its_fields():
    leaf = Leaf(size=Decimal(2))

    assert leaf == Leaf(tree=None, size=Decimal(2))
    assert hash(leaf) == hash(Leaf(size=Decimal(2)))
    assert [field.name for field in fields(Tree)] == ["name", "leaves", "parent", "hidden"]
    assert repr(Tree(name="fir")) == "Tree(name='fir', leaves=(), parent=None, hidden=3)"
    assert not hasattr(leaf, "__dict__")
    with pytest.raises(FrozenInstanceError):
        leaf.size = Decimal(3)  # type: ignore[misc]
    with pytest.raises(TypeError, match="size"):
        Leaf()  # type: ignore[call-arg]


def test_the_definition_is_made_at_the_first_look_and_only_once():
    @model("Looked at later.")
    class Later:
        count: int = described("How many.")

    assert isinstance(vars(Later)[DEFINITION], Definition)

    made = getattr(Later, DEFINITION)

    assert (made.origin, made.name, [field.python_name for field in made.fields]) == (Later, "Later", ["count"])
    assert getattr(Later(count=1), DEFINITION) is vars(Later)[DEFINITION] is made


def test_importing_every_adapter_makes_no_graphql_type_of_a_model():
    found = (
        "from providers import discover\n"
        "import sys\n"
        "from schema.model import DEFINITION, Definition\n"
        "discover(third_party=False)\n"
        "models = {each for name, module in sys.modules.items() if name.startswith('schema.words')"
        " for each in vars(module).values() if isinstance(each, type) and DEFINITION in vars(each)"
        " and hasattr(each, '__dataclass_fields__')}\n"
        "made = sorted(each.__name__ for each in models if not isinstance(vars(each)[DEFINITION], Definition))\n"
        "print(len(models) > 50, made)"
    )

    shown = subprocess.run([sys.executable, "-c", found], capture_output=True, text=True, check=True).stdout

    assert shown == "True ['Node', 'RouteInput']\n"  # an interface and an input: Strawberry's own


class Colour(StrEnum):
    RED = "red"
    NOT_FOUND = "none"


def test_the_words_of_a_choice_stand_with_its_values_which_stay_texts():
    choices("A colour.", name="Paint", RED="As blood.", NOT_FOUND="None.")(Colour)
    made = getattr(Colour, DEFINITION)

    assert (made.name, made.description) == ("Paint", "A colour.")
    assert [(each.name, each.value, each.description) for each in made.values] == [
        ("RED", "red", "As blood."), ("NOT_FOUND", "none", "None."),
    ]  # fmt: skip
    assert (Colour.RED.value, str(Colour.RED), Colour("none")) == ("red", "red", Colour.NOT_FOUND)


@pytest.mark.parametrize(("words", "named"), [({"RED": "As blood."}, "NOT_FOUND"), ({"BLUE": "As the sky."}, "BLUE")])
def test_a_choice_with_a_value_or_a_word_too_many_is_refused(words: dict[str, str], named: str):
    with pytest.raises(TypeError, match=rf"Colour: .*{named}.* without value or words"):
        choices("A colour.", **words)(Colour)


def test_codes_share_their_words_unless_an_enum_has_its_own():
    shown = []
    for own in ({"RED": "As blood."}, {"RED": "As blood.", "NOT_FOUND": "No colour."}):
        refusals("Why it has no colour.", **own)(Colour)
        shown.append([each.description for each in getattr(Colour, DEFINITION).values])

    assert shown == [["As blood.", SHARED["NOT_FOUND"]], ["As blood.", "No colour."]]
    with pytest.raises(TypeError, match="RED"):
        refusals("Why it has no colour.")(Colour)
