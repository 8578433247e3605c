// Lines of `add --batch`: what is accepted can be added, is valid, and is found again as it was
// given.
#include "base/utf8.hpp"
#include "operations/retain/add.hpp"
#include "stores/in_memory/in_memory_bank.hpp"
#include "tests/fuzz/targets.hpp"

namespace bb5::fuzz {

void add(Input input) {
  const auto given = parse_new_memory(text_of(input));
  if (!given) {
    require(given.error().code == Errc::invalid_argument && is_storable_utf8(given.error().message),
            "a line that is refused says why, in text that can be shown");
    return;
  }
  const auto bank = new_in_memory_bank();
  require(bank->set_embedder({"fuzz", 3}).has_value(), "an empty bank takes an embedder");
  const auto added = add_memories(*bank, {*given, *given});
  if (!added) {
    require(added.error().code == Errc::invalid_argument, "what cannot be added is the caller's");
    require(bank->stats()->memories == 0, "nothing is written then");
    return;
  }
  require(bank->stats()->memories == 1, "two of the same content are one memory");
  const auto held = bank->find(added->back().legacy_id);
  require(held.has_value() && held->size() == 1, "what was added is found by its id");
  const Memory& memory = held->front();
  require(validate(memory).has_value(), "what was added is valid");
  require(memory.content == given->content && memory.embedding == given->embedding &&
              memory.author == given->author && memory.thread == given->thread &&
              memory.position == given->position,
          "what was added is as it was given");
  require(!given->created_at || memory.created_at == given->created_at, "its time too");
  const auto again = add_memories(*bank, {*given});
  require(again.has_value() && bank->stats()->memories == 1, "adding again changes no number");
}

}  // namespace bb5::fuzz
