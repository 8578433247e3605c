-- One bank. {bank} is its schema, {vector} that of the extension; both come quoted.
-- Never edit this file once it has been released: its checksum is in every bank. Add 002_….sql.

CREATE TABLE {bank}.bank_info (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  model text NOT NULL DEFAULT '',
  dimension integer NOT NULL DEFAULT 0 CHECK (dimension BETWEEN 0 AND 16000),
  -- How every process searches; written by whoever builds the index.
  vector_index text NOT NULL DEFAULT 'none' CHECK (vector_index IN ('none', 'hnsw', 'ivfflat')),
  hnsw_ef_search integer NOT NULL DEFAULT 100,
  ivfflat_probes integer NOT NULL DEFAULT 1,
  index_recall double precision,         -- recall@10 with these, when it was measured last
  index_built_for bigint NOT NULL DEFAULT 0,
  -- What is to be built.
  index_choice text NOT NULL DEFAULT 'automatic' CHECK (index_choice IN ('automatic', 'none', 'hnsw', 'ivfflat')),
  index_m integer NOT NULL DEFAULT 0,    -- 0: as the program has it
  index_lists integer NOT NULL DEFAULT 0
);
INSERT INTO {bank}.bank_info DEFAULT VALUES;

-- How far something has come. Not in bank_info: its row is held by who writes vectors, to the end.
CREATE TABLE {bank}.marks (
  name text PRIMARY KEY,
  at bigint NOT NULL
);
INSERT INTO {bank}.marks VALUES
  ('resolved', 0),            -- entities up to this rev were compared with all others
  ('statements', 0);          -- of this seq and before, all memories are in statements

CREATE SEQUENCE {bank}.memory_seq;
CREATE SEQUENCE {bank}.fact_seq;
CREATE SEQUENCE {bank}.graph_rev;

-- 16 bytes that stand for a text of any length in keys: a B-tree cannot hold long ones.
CREATE FUNCTION {bank}.text_id(content text) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT pg_catalog.encode(pg_catalog.substr(pg_catalog.sha256(pg_catalog.convert_to(content, 'UTF8')), 1, 16), 'hex')::uuid $$;

CREATE TABLE {bank}.memories (
  id uuid PRIMARY KEY,
  content text NOT NULL,
  network text NOT NULL,
  embedding {vector}.vector,  -- gets its length with the bank's embedder
  confidence double precision CHECK (confidence BETWEEN 0 AND 1),
  source text,
  source_type text,
  category text,
  entities text[] NOT NULL,
  created_at timestamptz,
  metadata jsonb,             -- NULL when metadata_text is no JSON
  -- ours
  seq bigint NOT NULL DEFAULT nextval('{bank}.memory_seq') CONSTRAINT memories_seq UNIQUE,
  legacy_id text NOT NULL,
  kind smallint NOT NULL CHECK (kind BETWEEN 0 AND 2),
  updated_at timestamptz,
  valid_from timestamptz,
  valid_until timestamptz,
  superseded_by uuid,
  author text,
  thread text,
  position bigint,
  metadata_text text,         -- the exact text, where metadata would not give it back
  vector_state smallint NOT NULL,
  standing smallint NOT NULL, -- 0 by itself, 1 said by documents, 2 closed since none says it any more
  raw bytea,
  raw_embedding_at bigint,
  given_model text COLLATE "C", -- of the vector that it came with, in other_vectors, where that is not `embedding`; '': dropped
  record_hash bytea NOT NULL,
  extra_words text,           -- to be found by, besides those of the content; NULL: none
  -- A tsvector holds 1 MB: 80,000 characters fit whatever they are. What comes after is not found by keyword.
  tsv tsvector GENERATED ALWAYS AS (CASE WHEN extra_words IS NULL
    THEN to_tsvector('pg_catalog.english'::regconfig, left(content, 80000))
    ELSE to_tsvector('pg_catalog.english'::regconfig, left(content, 60000) || ' ' || left(extra_words, 20000)) END) STORED,
  CONSTRAINT memories_vector CHECK ((vector_state = 1) = (embedding IS NOT NULL))
)
-- A row with its vector in it fills most of a page; at the usual 2 kB everything else would move out.
WITH (toast_tuple_target = 8160);
CREATE INDEX memories_legacy_id ON {bank}.memories USING hash (legacy_id);
CREATE INDEX memories_created_at ON {bank}.memories (created_at) WHERE created_at IS NOT NULL;
-- Of a task's name the first characters: a B-tree cannot hold long ones.
CREATE INDEX memories_task ON {bank}.memories (left(metadata ->> 'task_id', 200)) WHERE metadata ->> 'task_id' IS NOT NULL;
CREATE INDEX memories_thread ON {bank}.memories (left(thread, 200), position) WHERE thread IS NOT NULL;
-- Their length is beyond what pgvector's binary32 sums can hold; nearest() looks at them one by one.
CREATE INDEX memories_odd_vectors ON {bank}.memories (seq)
  WHERE embedding IS NOT NULL AND NOT ({vector}.vector_norm(embedding) BETWEEN 1e-12 AND 1e12);

-- Vectors of other models than the bank's, made of the present contents: collected before the model is
-- changed, and kept afterwards.
CREATE TABLE {bank}.other_vectors (
  memory_id uuid NOT NULL,
  model text COLLATE "C" NOT NULL,
  embedding {vector}.vector NOT NULL,
  PRIMARY KEY (memory_id, model)
);
CREATE FUNCTION {bank}.forget_other_vectors() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN DELETE FROM {bank}.other_vectors WHERE memory_id = OLD.id; RETURN NULL; END $$;
CREATE TRIGGER other_vectors_of_other_words AFTER UPDATE OF content ON {bank}.memories
  FOR EACH ROW WHEN (OLD.content IS DISTINCT FROM NEW.content) EXECUTE FUNCTION {bank}.forget_other_vectors();
CREATE TRIGGER other_vectors_of_nothing AFTER DELETE ON {bank}.memories
  FOR EACH ROW EXECUTE FUNCTION {bank}.forget_other_vectors();

-- Memories by the words of what they say (ports/statement_index.hpp): derived.
CREATE TABLE {bank}.statements (
  memory_id uuid PRIMARY KEY,
  key bigint NOT NULL
);
CREATE INDEX statements_key ON {bank}.statements (key);

-- Facts: the record. Names stand beside their keys (model/graph.hpp) and the keys' text_id().
CREATE TABLE {bank}.entity_facts (
  id uuid PRIMARY KEY,
  seq bigint NOT NULL,
  memory_id uuid,
  name text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  mentions bigint NOT NULL,
  first_seen timestamptz,
  last_seen timestamptz,
  aliases text[] NOT NULL,
  raw bytea NOT NULL,
  name_id uuid,               -- NULL: no name is left after folding, and no entity comes of it
  entity_id uuid,
  key text COLLATE "C"
);
CREATE INDEX entity_facts_seq ON {bank}.entity_facts (seq);
CREATE INDEX entity_facts_memory ON {bank}.entity_facts (memory_id) WHERE memory_id IS NOT NULL;
CREATE INDEX entity_facts_name ON {bank}.entity_facts (name_id);

CREATE TABLE {bank}.relationship_facts (
  id uuid PRIMARY KEY,
  seq bigint NOT NULL,
  memory_id uuid,
  subject text COLLATE "C" NOT NULL,
  predicate text COLLATE "C" NOT NULL,
  object text COLLATE "C" NOT NULL,
  confidence double precision,
  observation_count bigint NOT NULL,
  first_observed timestamptz,
  last_observed timestamptz,
  raw bytea NOT NULL,
  relation_id uuid,           -- of (subject key, predicate, object key); NULL: an end has no name
  subject_name_id uuid,
  object_name_id uuid,
  subject_placeholder text COLLATE "C",  -- the entity's key, should nothing bear the name
  object_placeholder text COLLATE "C"
);
CREATE INDEX relationship_facts_seq ON {bank}.relationship_facts (seq);
CREATE INDEX relationship_facts_memory ON {bank}.relationship_facts (memory_id) WHERE memory_id IS NOT NULL;
CREATE INDEX relationship_facts_relation ON {bank}.relationship_facts (relation_id);
CREATE INDEX relationship_facts_subject ON {bank}.relationship_facts (subject_name_id);
CREATE INDEX relationship_facts_object ON {bank}.relationship_facts (object_name_id);

-- What memories name, each spelling once a memory.
CREATE TABLE {bank}.mention_facts (
  memory_id uuid NOT NULL,
  name_id uuid NOT NULL,
  name text COLLATE "C" NOT NULL,
  placeholder text COLLATE "C" NOT NULL
);
CREATE INDEX mention_facts_name ON {bank}.mention_facts (name_id, memory_id);

-- Documents that were retained, and what each says and adds to the graph, in its order. What is erased
-- goes out of them: places may be missing.
CREATE TABLE {bank}.documents (
  document bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source_id uuid NOT NULL CONSTRAINT documents_source_id UNIQUE,  -- text_id(source)
  source text COLLATE "C" NOT NULL,
  digest bytea NOT NULL,
  extractor text NOT NULL,
  retained_at timestamptz NOT NULL
);
CREATE INDEX documents_source ON {bank}.documents (left(source, 600));
CREATE TABLE {bank}.document_memories (
  document bigint NOT NULL,
  place integer NOT NULL,
  memory_id uuid NOT NULL,
  PRIMARY KEY (document, place)
);
CREATE INDEX document_memories_memory ON {bank}.document_memories (memory_id);
CREATE TABLE {bank}.document_facts (
  document bigint NOT NULL,
  kind smallint NOT NULL,     -- 0 entity, 1 relationship
  place integer NOT NULL,
  fact_id uuid NOT NULL,
  PRIMARY KEY (document, kind, place)
);
CREATE INDEX document_facts_fact ON {bank}.document_facts (fact_id);

-- Entities that are one (model/entity_merges.hpp): a record too.
CREATE TABLE {bank}.merges (
  from_id uuid PRIMARY KEY,   -- text_id() of from_key
  from_key text COLLATE "C" NOT NULL,  -- an entity's key, or `:name` for all of that name
  into_key text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  reason text NOT NULL,
  at timestamptz NOT NULL,
  -- Derived: where it leads at last.
  root_id uuid NOT NULL,
  root_key text COLLATE "C" NOT NULL,
  root_name_id uuid NOT NULL,
  from_name_id uuid NOT NULL,
  leads_any_type boolean NOT NULL,
  leads_bare_names boolean NOT NULL
);
-- Derived from merges: names that fold together, and what each means when no fact bears it.
CREATE TABLE {bank}.merged_names (
  name_id uuid PRIMARY KEY,
  name_group bigint NOT NULL,
  bare_root_id uuid NOT NULL,
  bare_root_key text COLLATE "C" NOT NULL,
  bare_root_name_id uuid NOT NULL
);
CREATE INDEX merged_names_group ON {bank}.merged_names (name_group);
-- Entities that are not one, whatever their names look like (model/kept_apart.hpp): a record.
CREATE TABLE {bank}.kept_apart (
  a_id uuid NOT NULL,         -- text_id() of a
  b_id uuid NOT NULL,
  a text COLLATE "C" NOT NULL,  -- the smaller key
  b text COLLATE "C" NOT NULL,
  reason text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (a_id, b_id)
);

-- The fold of the facts: made from them, never written by hand.
CREATE TABLE {bank}.entities (
  entity_id uuid PRIMARY KEY,
  key text COLLATE "C" NOT NULL,
  name_id uuid NOT NULL,
  name text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  mention_count bigint NOT NULL,
  first_seen timestamptz,
  last_seen timestamptz,
  aliases text[] NOT NULL,
  placeholder boolean NOT NULL,
  names text[] NOT NULL,      -- folded names besides its own that merges lead here
  rev bigint NOT NULL
);
-- Keys may be long; their first 600 characters sort them, the key itself breaks ties.
CREATE INDEX entities_key ON {bank}.entities (left(key, 600));
CREATE INDEX entities_name ON {bank}.entities (name_id);

-- The entity that a name means.
CREATE TABLE {bank}.names (
  name_id uuid PRIMARY KEY,
  entity_id uuid NOT NULL
);

CREATE TABLE {bank}.relationships (
  relation_id uuid PRIMARY KEY,  -- of its facts; of several, which merges join, the smallest
  key text COLLATE "C" NOT NULL,
  subject_id uuid NOT NULL,
  object_id uuid NOT NULL,
  subject_key text COLLATE "C" NOT NULL,
  predicate text COLLATE "C" NOT NULL,
  object_key text COLLATE "C" NOT NULL,
  confidence double precision,
  observation_count bigint NOT NULL,
  first_observed timestamptz,
  last_observed timestamptz,
  rev bigint NOT NULL
);
CREATE INDEX relationships_key ON {bank}.relationships (left(key, 600));
CREATE INDEX relationships_subject ON {bank}.relationships (subject_id);
CREATE INDEX relationships_object ON {bank}.relationships (object_id);

CREATE TABLE {bank}.mentions (
  memory_id uuid NOT NULL,
  name_id uuid NOT NULL,      -- of several names for the entity, which merges join, the smallest
  entity_id uuid NOT NULL,
  entity_key text COLLATE "C" NOT NULL,
  rev bigint NOT NULL,
  PRIMARY KEY (memory_id, name_id)
);

-- Rows of the fold that a projection has not seen yet: keys, not contents. One row a key, so a
-- transaction that commits late is never skipped.
CREATE SEQUENCE {bank}.outbox_id;
CREATE TABLE {bank}.outbox (
  kind smallint NOT NULL,     -- 0 entity, 1 relationship, 2 mention
  row_id uuid NOT NULL,       -- of the key
  id bigint NOT NULL DEFAULT nextval('{bank}.outbox_id'),
  key text COLLATE "C" NOT NULL,
  memory_id uuid,
  subject_key text COLLATE "C",
  predicate text COLLATE "C",
  object_key text COLLATE "C",  -- of a mention: the entity's
  rev bigint NOT NULL,
  PRIMARY KEY (kind, row_id)
);
CREATE INDEX outbox_key ON {bank}.outbox (kind, left(key, 600));

CREATE TABLE {bank}.embedding_cache (
  model text COLLATE "C" NOT NULL,
  text_md5 uuid NOT NULL,
  embedding bytea NOT NULL,   -- big-endian binary32
  used_at timestamptz,        -- of a computed one; NULL: imported, never forgotten
  PRIMARY KEY (model, text_md5)
);
CREATE INDEX embedding_cache_use ON {bank}.embedding_cache (used_at) WHERE used_at IS NOT NULL;
ALTER TABLE {bank}.embedding_cache ALTER COLUMN embedding SET STORAGE EXTERNAL;

CREATE TABLE {bank}.migration_runs (
  run_id uuid PRIMARY KEY,
  ordinal bigint GENERATED ALWAYS AS IDENTITY,
  source text NOT NULL,
  manifest_sha256 bytea NOT NULL,
  tool_version text NOT NULL,
  options text NOT NULL,
  state smallint NOT NULL,
  started timestamptz NOT NULL,
  ended timestamptz
);
CREATE TABLE {bank}.migration_files (
  run_id uuid NOT NULL,
  ordinal integer NOT NULL,
  file text COLLATE "C" NOT NULL,
  part smallint NOT NULL,
  sha256 bytea NOT NULL,
  bytes bigint NOT NULL,
  records bigint NOT NULL,
  PRIMARY KEY (run_id, ordinal)
);
CREATE TABLE {bank}.migration_batches (
  run_id uuid NOT NULL,
  file text COLLATE "C" NOT NULL,
  part smallint NOT NULL,
  batch_no bigint NOT NULL,
  first_ordinal bigint NOT NULL,
  records bigint NOT NULL,
  byte_from bigint NOT NULL,
  byte_to bigint NOT NULL,
  loaded bigint NOT NULL,
  identical bigint NOT NULL,
  rejected bigint NOT NULL,
  quarantined bigint NOT NULL,
  content_digest bytea NOT NULL,
  conflicts_allowed bigint NOT NULL,
  committed timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (run_id, file, batch_no),
  CONSTRAINT migration_batches_sum CHECK (records = loaded + identical + rejected + quarantined)
);
CREATE TABLE {bank}.migration_issues (
  run_id uuid NOT NULL,
  file text COLLATE "C" NOT NULL,
  batch_no bigint NOT NULL,
  number integer NOT NULL,    -- within the batch
  kind smallint NOT NULL,
  ordinal bigint NOT NULL,
  byte_from bigint NOT NULL,
  pointer text NOT NULL,
  code text NOT NULL,
  message text NOT NULL,
  raw bytea NOT NULL
);
CREATE INDEX migration_issues_place ON {bank}.migration_issues (run_id, file, ordinal);
