-- Schema 1 of an embedded bank. Never change this file once it has been released: banks record its
-- checksum. Times are microseconds since 1970 UTC; ids are the 16 bytes of a UUID; `aliases` and
-- `entities` are JSON arrays of strings.
--
-- Record: memories, vectors, other_vectors, the three tables of facts, documents, merges, kept_apart, the ledger. Derived
-- from them, in the same transactions: memories_fts, statements, tallies, names, entities, relationships, mentions,
-- outbox.

-- What the bank as a whole knows; always one row.
CREATE TABLE bank (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  embedder_model TEXT NOT NULL DEFAULT '',
  dimension INTEGER NOT NULL DEFAULT 0,
  last_seq INTEGER NOT NULL DEFAULT 0,       -- numbers given out so far: none is given twice
  last_fact_seq INTEGER NOT NULL DEFAULT 0,
  last_vec_id INTEGER NOT NULL DEFAULT 0,
  graph_rev INTEGER NOT NULL DEFAULT 0,
  graph_stale INTEGER NOT NULL DEFAULT 0,    -- 1: facts were written that no fold has seen
  resolved_rev INTEGER NOT NULL DEFAULT 0,   -- entities up to this rev were compared with all others
  epoch INTEGER NOT NULL DEFAULT 0,          -- grows with every change of memories
  statements_to INTEGER NOT NULL DEFAULT 0,  -- of this seq and before, all memories are in statements
  vector_index TEXT NOT NULL DEFAULT 'automatic' CHECK (vector_index IN ('automatic', 'none', 'hnsw')),
  hnsw_m INTEGER NOT NULL DEFAULT 16,        -- of the next graph that is built
  hnsw_ef_search INTEGER NOT NULL DEFAULT 64,
  index_recall REAL                          -- recall@10 with that ef_search, where it was measured
) STRICT;
INSERT INTO bank (one) VALUES (1);

CREATE TABLE schema_changes (
  version INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  sha256 BLOB NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT;

-- Networks by a small number, which is never used again for another name.
CREATE TABLE networks (
  code INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE memories (
  seq INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,
  network INTEGER NOT NULL,                  -- networks.code
  vector_state INTEGER NOT NULL,
  vec_id INTEGER,                            -- vectors.vec_id, when the vector is indexed
  standing INTEGER NOT NULL,                 -- Standing: by itself, or by documents
  id BLOB NOT NULL UNIQUE,
  record_hash BLOB NOT NULL,
  legacy_id TEXT NOT NULL,
  confidence REAL,
  source TEXT,
  source_type TEXT,
  category TEXT,
  created_at INTEGER,
  updated_at INTEGER,
  valid_from INTEGER,
  valid_until INTEGER,
  superseded_by BLOB,
  author TEXT,
  thread TEXT,
  position INTEGER,
  task TEXT,                                 -- what metadata says as task_id: derived
  entities TEXT,                             -- NULL: none
  content TEXT NOT NULL,
  extra_words TEXT,                          -- to be found by, besides those of the content; NULL: none
  metadata TEXT NOT NULL,
  raw TEXT,
  raw_embedding_at INTEGER,
  given_model TEXT                           -- of the vector that it came with, in other_vectors, where that is not
                                             -- the indexed one; '': it was dropped
) STRICT;
CREATE INDEX memories_by_legacy_id ON memories (legacy_id);
CREATE INDEX memories_by_network ON memories (network, kind);
CREATE INDEX memories_by_time ON memories (created_at) WHERE created_at IS NOT NULL;
CREATE INDEX memories_by_task ON memories (task) WHERE task IS NOT NULL;
CREATE INDEX memories_by_thread ON memories (thread, position) WHERE thread IS NOT NULL;
-- What is not valid yet, or no longer, at a moment: found without a look at the rest, or at the rows.
CREATE INDEX memories_by_beginning ON memories (valid_from, valid_until, network, kind, vec_id) WHERE valid_from IS NOT NULL;
CREATE INDEX memories_by_end ON memories (valid_until, network, kind, vec_id) WHERE valid_until IS NOT NULL;

-- In their own table, so that reading memories does not read vectors. A vector never changes: a new
-- one gets a new vec_id, greater than all before it. label: network * 4 + kind of its memory.
-- stamp: drawn at random by each transaction; tells apart two histories of one file.
CREATE TABLE vectors (
  vec_id INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL,
  label INTEGER NOT NULL,
  stamp INTEGER NOT NULL,
  embedding BLOB NOT NULL                    -- little-endian binary32
) STRICT;

-- Vectors of other models than the bank's, made of the present contents: collected before the model
-- is changed, and kept afterwards.
CREATE TABLE other_vectors (
  model TEXT NOT NULL,
  seq INTEGER NOT NULL,
  embedding BLOB NOT NULL,                   -- little-endian binary32
  PRIMARY KEY (model, seq)
) STRICT;
CREATE INDEX other_vectors_by_memory ON other_vectors (seq);
CREATE TRIGGER other_vectors_of_other_words AFTER UPDATE OF content ON memories
WHEN old.content IS NOT new.content BEGIN
  DELETE FROM other_vectors WHERE seq = old.seq;
END;
CREATE TRIGGER other_vectors_of_nothing AFTER DELETE ON memories BEGIN
  DELETE FROM other_vectors WHERE seq = old.seq;
END;

CREATE VIRTUAL TABLE memories_fts USING fts5 (
  content, extra_words, content = 'memories', content_rowid = 'seq',
  tokenize = 'porter unicode61 remove_diacritics 2'
);

-- Memories by the words of what they say (ports/statement_index.hpp): derived.
CREATE TABLE statements (
  memory_seq INTEGER PRIMARY KEY,
  key INTEGER NOT NULL
) STRICT;
CREATE INDEX statements_by_key ON statements (key);

-- How many memories there are of each sort: what stats and search plans need at once.
CREATE TABLE tallies (
  network INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  vector_state INTEGER NOT NULL,
  memories INTEGER NOT NULL,
  PRIMARY KEY (network, kind, vector_state)
) STRICT, WITHOUT ROWID;

-- Facts. name_key: the folded name; entity_key: type and name.
CREATE TABLE entity_facts (
  seq INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  memory BLOB,
  name_key TEXT NOT NULL,
  entity_key TEXT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  mentions INTEGER NOT NULL,
  first_seen INTEGER,
  last_seen INTEGER,
  aliases TEXT,                              -- NULL: none
  raw TEXT NOT NULL
) STRICT;
CREATE INDEX entity_facts_by_name ON entity_facts (name_key, entity_key, name, mentions);
CREATE INDEX entity_facts_by_memory ON entity_facts (memory) WHERE memory IS NOT NULL;

CREATE TABLE relationship_facts (
  seq INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  memory BLOB,
  subject_name_key TEXT NOT NULL,            -- both empty when one of the names is
  predicate TEXT NOT NULL,
  object_name_key TEXT NOT NULL,
  subject TEXT NOT NULL,
  object TEXT NOT NULL,
  confidence REAL,
  observation_count INTEGER NOT NULL,
  first_observed INTEGER,
  last_observed INTEGER,
  raw TEXT NOT NULL
) STRICT;
CREATE INDEX relationship_facts_by_ends ON relationship_facts (subject_name_key, predicate, object_name_key);
CREATE INDEX relationship_facts_by_subject ON relationship_facts (subject_name_key, subject);
CREATE INDEX relationship_facts_by_object ON relationship_facts (object_name_key, object);
CREATE INDEX relationship_facts_by_memory ON relationship_facts (memory) WHERE memory IS NOT NULL;

-- One row for each spelling by which a memory names something.
CREATE TABLE mention_facts (
  memory_seq INTEGER NOT NULL,
  name_key TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (memory_seq, name_key, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX mention_facts_by_name ON mention_facts (name_key, name);

-- Documents that were retained, and what each says and adds to the graph, in its order. What is
-- erased goes out of them: places may be missing.
CREATE TABLE documents (
  document INTEGER PRIMARY KEY,
  source TEXT NOT NULL UNIQUE,
  digest BLOB NOT NULL,
  extractor TEXT NOT NULL,
  retained_at INTEGER NOT NULL
) STRICT;
CREATE TABLE document_memories (
  document INTEGER NOT NULL,
  place INTEGER NOT NULL,
  memory_seq INTEGER NOT NULL,
  PRIMARY KEY (document, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX document_memories_by_memory ON document_memories (memory_seq);
CREATE TABLE document_facts (
  document INTEGER NOT NULL,
  kind INTEGER NOT NULL,                     -- 0: of entity_facts, 1: of relationship_facts
  place INTEGER NOT NULL,
  fact BLOB NOT NULL,                        -- its id
  PRIMARY KEY (document, kind, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX document_facts_by_fact ON document_facts (fact);

-- Entities that are one (model/entity_merges.hpp). root_key and merged_names are derived: where each
-- leads at last, and which names fold together.
CREATE TABLE merges (
  from_key TEXT PRIMARY KEY,                 -- an entity's key, or `:name` for all of that name
  into_key TEXT NOT NULL,
  name TEXT NOT NULL,
  reason TEXT NOT NULL,
  at INTEGER NOT NULL,
  root_key TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX merges_by_root ON merges (root_key);
CREATE TABLE merged_names (
  name_key TEXT PRIMARY KEY,
  name_group INTEGER NOT NULL,
  bare_root TEXT NOT NULL                    -- the entity that the name means when no fact bears it
) STRICT, WITHOUT ROWID;
CREATE INDEX merged_names_by_group ON merged_names (name_group);

-- Entities that are not one, whatever their names look like (model/kept_apart.hpp); a < b.
CREATE TABLE kept_apart (
  a TEXT NOT NULL,
  b TEXT NOT NULL,
  reason TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (a, b)
) STRICT, WITHOUT ROWID;

-- The fold of the facts (model/graph.hpp). names: the entity that a name means.
CREATE TABLE names (
  name_key TEXT PRIMARY KEY,
  entity_key TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE entities (
  key TEXT PRIMARY KEY,
  name_key TEXT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  mention_count INTEGER NOT NULL,
  first_seen INTEGER,
  last_seen INTEGER,
  aliases TEXT,                              -- NULL: none
  placeholder INTEGER NOT NULL,
  names TEXT,                                -- Entity::names; NULL: none
  rev INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX entities_by_name ON entities (name_key);
CREATE INDEX entities_by_rev ON entities (rev);  -- which a resolver has not looked at

CREATE TABLE relationships (
  key TEXT PRIMARY KEY,                      -- subject_key ␟ predicate ␟ object_key
  subject_key TEXT NOT NULL,
  predicate TEXT NOT NULL,
  object_key TEXT NOT NULL,
  confidence REAL,
  observation_count INTEGER NOT NULL,
  first_observed INTEGER,
  last_observed INTEGER,
  rev INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX relationships_by_subject ON relationships (subject_key);
CREATE INDEX relationships_by_object ON relationships (object_key);

CREATE TABLE mentions (
  memory_seq INTEGER NOT NULL,
  entity_key TEXT NOT NULL,
  rev INTEGER NOT NULL,
  PRIMARY KEY (memory_seq, entity_key)
) STRICT, WITHOUT ROWID;

-- Rows of the fold that the projection has not seen yet; what they hold is read from the fold.
-- key: entities.key, relationships.key, or for mentions the memory's id followed by the entity's key.
CREATE TABLE outbox (
  kind INTEGER NOT NULL,                     -- GraphChange::Kind
  key BLOB NOT NULL,
  rev INTEGER NOT NULL,
  removed INTEGER NOT NULL,
  parts TEXT,                                -- of a removed relationship: its three keys as JSON
  PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;

-- The ledger of migrations.
CREATE TABLE runs (
  place INTEGER PRIMARY KEY,                 -- order of beginning
  run BLOB NOT NULL UNIQUE,
  source TEXT NOT NULL,
  manifest_sha256 BLOB NOT NULL,
  tool_version TEXT NOT NULL,
  options TEXT NOT NULL,
  state INTEGER NOT NULL,
  started INTEGER NOT NULL,
  ended INTEGER
) STRICT;
CREATE TABLE run_files (
  place INTEGER PRIMARY KEY,                 -- order in the run
  run BLOB NOT NULL,
  file TEXT NOT NULL,
  part INTEGER NOT NULL,
  sha256 BLOB NOT NULL,
  bytes INTEGER NOT NULL,
  records INTEGER NOT NULL
) STRICT;
CREATE INDEX run_files_by_run ON run_files (run);
CREATE TABLE batches (
  run BLOB NOT NULL,
  file TEXT NOT NULL,
  batch_no INTEGER NOT NULL,
  part INTEGER NOT NULL,
  first_ordinal INTEGER NOT NULL,
  records INTEGER NOT NULL,
  byte_from INTEGER NOT NULL,
  byte_to INTEGER NOT NULL,
  loaded INTEGER NOT NULL,
  identical INTEGER NOT NULL,
  rejected INTEGER NOT NULL,
  quarantined INTEGER NOT NULL,
  content_digest BLOB NOT NULL,
  conflicts_allowed INTEGER NOT NULL,
  PRIMARY KEY (run, file, batch_no),
  CHECK (records = loaded + identical + rejected + quarantined)
) STRICT, WITHOUT ROWID;
CREATE TABLE issues (
  place INTEGER PRIMARY KEY,
  run BLOB NOT NULL,
  file TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  byte_from INTEGER NOT NULL,
  pointer TEXT NOT NULL,
  code TEXT NOT NULL,
  message TEXT NOT NULL,
  raw BLOB NOT NULL
) STRICT;
CREATE INDEX issues_by_run ON issues (run, file, ordinal);

-- Vectors of texts seen before.
CREATE TABLE embedding_cache (
  place INTEGER PRIMARY KEY,
  model TEXT NOT NULL,
  text_md5 TEXT NOT NULL,
  embedding BLOB NOT NULL,
  used_at INTEGER,                           -- of a computed one; NULL: imported, never forgotten
  UNIQUE (model, text_md5)
) STRICT;
CREATE INDEX embedding_cache_by_use ON embedding_cache (used_at) WHERE used_at IS NOT NULL;

-- How far each step has come that derives rows after a write (term statistics, sentence vectors, …).
CREATE TABLE derived (
  name TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  done INTEGER NOT NULL,
  total INTEGER NOT NULL,
  state TEXT NOT NULL
) STRICT, WITHOUT ROWID;
