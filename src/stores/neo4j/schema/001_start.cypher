// Keys are unique over all banks of a database: `bank|key`.
CREATE CONSTRAINT bb5_entity_key IF NOT EXISTS FOR (e:Entity) REQUIRE e.key IS UNIQUE;
CREATE CONSTRAINT bb5_memory_key IF NOT EXISTS FOR (m:Memory) REQUIRE m.key IS UNIQUE;
CREATE CONSTRAINT bb5_tombstone_key IF NOT EXISTS FOR (t:Tombstone) REQUIRE t.key IS UNIQUE;
CREATE CONSTRAINT bb5_sync_state_bank IF NOT EXISTS FOR (s:SyncState) REQUIRE s.bank IS UNIQUE;
// The order of relationship pages, and what a name means.
CREATE INDEX bb5_entity_order_key IF NOT EXISTS FOR (e:Entity) ON (e.order_key);
CREATE INDEX bb5_entity_name_key IF NOT EXISTS FOR (e:Entity) ON (e.name_key);
CREATE INDEX bb5_entity_named_in IF NOT EXISTS FOR (e:Entity) ON (e.named_in);
// In a database without relationships Neo4j 5.26 plans the MERGE of one as a scan of all of them, and
// keeps that plan for ten seconds in which a load brings a hundred thousand. Five are enough.
UNWIND range(1, 16) AS number
MERGE (s:Bb5Statistics {id: 1})
MERGE (s)-[:BB5_STATISTICS {number: number}]->(s);
