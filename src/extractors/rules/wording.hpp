#pragma once

#include <optional>
#include <string>

#include "extractors/rules/markdown.hpp"
#include "extractors/rules/topics.hpp"
#include "extractors/rules/words.hpp"

namespace bb5::rules {

/// What kind of statement a text is, and how sure its wording sounds.
struct Judgement {
  std::string network;       ///< world, experience, opinion, observation.
  double confidence = 0.75;  ///< In [0.5, 0.95].
  std::optional<std::string> category;
};

/// network: decisions and preferences are opinions, learnings and summaries observations, whatever
/// their words; else the words decide, in this order: judging (`I think`, `we should`, `better
/// than`) opinion, generalising (`turned out`, `root cause`) observation, own past deeds (`I ran`,
/// `Migrated …`) experience, else world.
///
/// confidence: decision, success criterion, checked task 0.85; experience and result 0.8; fact,
/// learning 0.75; opinion 0.7; open task 0.65; question 0.5; less 0.1 for each hedge (`might`,
/// `probably`) up to three, plus 0.1 for words of proof (`measured`, `verified`, `always`), kept
/// within [0.5, 0.95].
///
/// body: where the text itself starts, in bytes; a title before it is not judged.
[[nodiscard]] Judgement judge(const Words& words, std::size_t body, Topic topic, Block::Task task);

/// A text that says little without what stands above it: few words, no verb, or a first word that
/// points back (`This`, `It`, `Also`).
[[nodiscard]] bool needs_a_lead(const Words& words);

}  // namespace bb5::rules
