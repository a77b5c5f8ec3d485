BEGIN TRANSACTION;
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE benchmarks (
	id VARCHAR(64) NOT NULL, 
	name TEXT NOT NULL, 
	sample_count INTEGER NOT NULL, 
	created_at DOUBLE NOT NULL, 
	complete BOOLEAN NOT NULL, 
	CONSTRAINT pk_benchmarks PRIMARY KEY (id)
);
INSERT INTO "benchmarks" VALUES('6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa','benchmark',3,1.79595183597122454643e+09,1);
CREATE TABLE edits (
	id INTEGER NOT NULL, 
	state VARCHAR(9) NOT NULL, 
	attempt INTEGER DEFAULT 0 NOT NULL, 
	attempts_allowed INTEGER DEFAULT 3 NOT NULL, 
	not_before DOUBLE NOT NULL, 
	published_at DOUBLE, 
	owner TEXT, 
	lease_until DOUBLE, 
	worker TEXT, 
	started_at DOUBLE, 
	finished_at DOUBLE, 
	seconds DOUBLE, 
	last_words TEXT, 
	failure_kind VARCHAR(24), 
	failure_reason TEXT, 
	detail JSON, 
	run_id VARCHAR(12) NOT NULL, 
	sample_id INTEGER NOT NULL, 
	repeat INTEGER NOT NULL, 
	image VARCHAR(64), 
	CONSTRAINT pk_edits PRIMARY KEY (id), 
	CONSTRAINT ck_edits_state CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')), 
	CONSTRAINT ck_edits_claim CHECK ((state = 'running') = (owner IS NOT NULL AND lease_until IS NOT NULL)), 
	CONSTRAINT ck_edits_failure_kind CHECK ((state = 'failed') = (failure_kind IS NOT NULL)), 
	CONSTRAINT ck_edits_failure_reason CHECK ((failure_kind IS NULL) = (failure_reason IS NULL)), 
	CONSTRAINT ck_edits_finished_at CHECK ((state IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL)), 
	CONSTRAINT ck_edits_image CHECK ((state = 'done') = (image IS NOT NULL)), 
	CONSTRAINT uq_edits_run_id_sample_id_repeat UNIQUE (run_id, sample_id, repeat), 
	CONSTRAINT fk_edits_run_id FOREIGN KEY(run_id) REFERENCES runs (id), 
	CONSTRAINT fk_edits_sample_id FOREIGN KEY(sample_id) REFERENCES samples (id)
);
INSERT INTO "edits" VALUES(1,'done',1,3,1.79595183604758882526e+09,1.79595183604996037484e+09,NULL,NULL,'edit+score-cpu0@host-a',1.7959518412848210335e+09,1.79595184133285975451e+09,1.02142149989958852529e-02,NULL,NULL,NULL,NULL,'a362ed9024fe',1,0,'d344afb1bf50c6b5479fa0acb64d2858af90da4316b1f4b909daac5858f9528e');
INSERT INTO "edits" VALUES(2,'done',1,3,1.79595183604758882526e+09,1.79595183604996037484e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595184141382622718e+09,1.79595184142727518081e+09,1.01779809992876835167e-02,NULL,NULL,NULL,NULL,'a362ed9024fe',2,0,'8e18f07a5cb536cc35a9c73cc9860310302dd99d80bc9b1712615d28e00b3932');
INSERT INTO "edits" VALUES(3,'done',1,3,1.79595183604758882526e+09,1.79595183604996037484e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595184143738222128e+09,1.79595184145014715197e+09,1.01979500032030045986e-02,NULL,NULL,NULL,NULL,'a362ed9024fe',3,0,'633bdf8c754d589e82c9ba041e58320ce25fc5a755a0105a66438bf259c4be90');
INSERT INTO "edits" VALUES(4,'done',1,3,1.79595183604758882526e+09,1.79595183604996037484e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595184145652556418e+09,1.79595184146957230573e+09,1.02434380023623816668e-02,NULL,NULL,NULL,NULL,'a362ed9024fe',1,1,'7cc9ec51c38d907e0dde407393d48236a1f94ce30ca83b8998677f2bf90d8772');
INSERT INTO "edits" VALUES(5,'done',1,3,1.79595183604758882526e+09,1.79595183604996037484e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595184147803950307e+09,1.79595184149101257326e+09,1.02084960017236880958e-02,NULL,NULL,NULL,NULL,'a362ed9024fe',2,1,'f4696376d61462fe6185a378b1a78fd78594e5bc8d59a5dc7a94529642e57bd4');
INSERT INTO "edits" VALUES(6,'failed',1,3,1.79595183604758882526e+09,1.79595183604996037484e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595184149974679949e+09,1.79595184151187539102e+09,NULL,NULL,'model','simulated: this sample was drawn to fail',NULL,'a362ed9024fe',3,1,NULL);
INSERT INTO "edits" VALUES(7,'queued',0,3,1.79595184772065114974e+09,1.79595184772507333748e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'60491b95e824',1,0,NULL);
INSERT INTO "edits" VALUES(8,'queued',0,3,1.79595184772065114974e+09,1.79595184772507333748e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'60491b95e824',2,0,NULL);
INSERT INTO "edits" VALUES(9,'queued',0,3,1.79595184772065114974e+09,1.79595184772507333748e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'60491b95e824',3,0,NULL);
INSERT INTO "edits" VALUES(10,'queued',0,3,1.79595184772065114974e+09,1.79595184772507333748e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'60491b95e824',1,1,NULL);
INSERT INTO "edits" VALUES(11,'queued',0,3,1.79595184772065114974e+09,1.79595184772507333748e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'60491b95e824',2,1,NULL);
INSERT INTO "edits" VALUES(12,'queued',0,3,1.79595184772065114974e+09,1.79595184772507333748e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'60491b95e824',3,1,NULL);
CREATE TABLE run_scorers (
	id INTEGER NOT NULL, 
	run_id VARCHAR(12) NOT NULL, 
	label TEXT NOT NULL, 
	configuration JSON NOT NULL, 
	batch_size INTEGER NOT NULL, 
	CONSTRAINT pk_run_scorers PRIMARY KEY (id), 
	CONSTRAINT uq_run_scorers_run_id_label UNIQUE (run_id, label), 
	CONSTRAINT fk_run_scorers_run_id FOREIGN KEY(run_id) REFERENCES runs (id)
);
INSERT INTO "run_scorers" VALUES(1,'a362ed9024fe','strict','{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}',2);
INSERT INTO "run_scorers" VALUES(2,'a362ed9024fe','kind','{"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}',2);
INSERT INTO "run_scorers" VALUES(3,'60491b95e824','strict','{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}',2);
INSERT INTO "run_scorers" VALUES(4,'60491b95e824','kind','{"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}',2);
CREATE TABLE runs (
	id VARCHAR(12) NOT NULL, 
	benchmark_id VARCHAR(64) NOT NULL, 
	configuration JSON NOT NULL, 
	priority VARCHAR(8) NOT NULL, 
	created_at DOUBLE NOT NULL, 
	CONSTRAINT pk_runs PRIMARY KEY (id), 
	CONSTRAINT ck_runs_priority CHECK (priority IN ('low', 'normal', 'high')), 
	CONSTRAINT fk_runs_benchmark_id FOREIGN KEY(benchmark_id) REFERENCES benchmarks (id)
);
INSERT INTO "runs" VALUES('a362ed9024fe','6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa','{"editor": {"name": "simulated", "label": "simulated", "options": {"seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "seed": 0, "width": 8, "height": 8, "oom_above": null}}, "scorers": [{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}, {"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}], "repeats": 2, "seed": 0, "limit": null}','normal',1.79595183604758882526e+09);
INSERT INTO "runs" VALUES('60491b95e824','6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa','{"editor": {"name": "simulated", "label": "simulated", "options": {"seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "seed": 0, "width": 8, "height": 8, "oom_above": null}}, "scorers": [{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}, {"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}], "repeats": 2, "seed": 1, "limit": null}','normal',1.79595184772065114974e+09);
CREATE TABLE samples (
	id INTEGER NOT NULL, 
	benchmark_id VARCHAR(64) NOT NULL, 
	position INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	category TEXT NOT NULL, 
	instruction TEXT NOT NULL, 
	description TEXT, 
	source_image VARCHAR(64) NOT NULL, 
	reference_image VARCHAR(64), 
	CONSTRAINT pk_samples PRIMARY KEY (id), 
	CONSTRAINT uq_samples_benchmark_id_position UNIQUE (benchmark_id, position), 
	CONSTRAINT uq_samples_benchmark_id_category_key UNIQUE (benchmark_id, category, "key"), 
	CONSTRAINT fk_samples_benchmark_id FOREIGN KEY(benchmark_id) REFERENCES benchmarks (id)
);
INSERT INTO "samples" VALUES(1,'6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa',0,'rain','物理','add rain','a teal square','06f21cb171f614906b6ae9096d3a7436d9a470aea8bcd2245305b08f728d0fcc',NULL);
INSERT INTO "samples" VALUES(2,'6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa',1,'snow','物理','add snow','a teal square','06f21cb171f614906b6ae9096d3a7436d9a470aea8bcd2245305b08f728d0fcc',NULL);
INSERT INTO "samples" VALUES(3,'6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa',2,'crowd','社会','add crowd','a teal square','06f21cb171f614906b6ae9096d3a7436d9a470aea8bcd2245305b08f728d0fcc',NULL);
CREATE TABLE scores (
	id INTEGER NOT NULL, 
	state VARCHAR(9) NOT NULL, 
	attempt INTEGER DEFAULT 0 NOT NULL, 
	attempts_allowed INTEGER DEFAULT 3 NOT NULL, 
	not_before DOUBLE NOT NULL, 
	published_at DOUBLE, 
	owner TEXT, 
	lease_until DOUBLE, 
	worker TEXT, 
	started_at DOUBLE, 
	finished_at DOUBLE, 
	seconds DOUBLE, 
	last_words TEXT, 
	failure_kind VARCHAR(24), 
	failure_reason TEXT, 
	detail JSON, 
	edit_id INTEGER NOT NULL, 
	scorer_id INTEGER NOT NULL, 
	value DOUBLE, 
	CONSTRAINT pk_scores PRIMARY KEY (id), 
	CONSTRAINT ck_scores_state CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')), 
	CONSTRAINT ck_scores_claim CHECK ((state = 'running') = (owner IS NOT NULL AND lease_until IS NOT NULL)), 
	CONSTRAINT ck_scores_failure_kind CHECK ((state = 'failed') = (failure_kind IS NOT NULL)), 
	CONSTRAINT ck_scores_failure_reason CHECK ((failure_kind IS NULL) = (failure_reason IS NULL)), 
	CONSTRAINT ck_scores_finished_at CHECK ((state IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL)), 
	CONSTRAINT ck_scores_value CHECK ((state = 'done') = (value IS NOT NULL)), 
	CONSTRAINT uq_scores_edit_id_scorer_id UNIQUE (edit_id, scorer_id), 
	CONSTRAINT fk_scores_edit_id FOREIGN KEY(edit_id) REFERENCES edits (id), 
	CONSTRAINT fk_scores_scorer_id FOREIGN KEY(scorer_id) REFERENCES run_scorers (id)
);
INSERT INTO "scores" VALUES(1,'done',1,3,1.79595184133285975451e+09,1.79595184133285975451e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595184151800608637e+09,1.79595184154823541639e+09,1.09081170012359507381e-02,NULL,NULL,NULL,'{"simulated": true}',1,1,4.35);
INSERT INTO "scores" VALUES(2,'done',1,3,1.79595184133285975451e+09,1.79595184133285975451e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595184155996394153e+09,1.79595184159639143948e+09,1.08311624971975106745e-02,NULL,NULL,NULL,'{"simulated": true}',1,2,1.56);
INSERT INTO "scores" VALUES(3,'done',1,3,1.79595184142727518081e+09,1.79595184142727518081e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595184151800608637e+09,1.79595184155413270001e+09,1.09081170012359507381e-02,NULL,NULL,NULL,'{"simulated": true}',2,1,9.41);
INSERT INTO "scores" VALUES(4,'done',1,3,1.79595184142727518081e+09,1.79595184142727518081e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595184155996394153e+09,1.79595184159744358058e+09,1.08311624971975106745e-02,NULL,NULL,NULL,'{"simulated": true}',2,2,7.49);
INSERT INTO "scores" VALUES(5,'failed',1,3,1.79595184145014715197e+09,1.79595184145014715197e+09,NULL,NULL,'edit+score-cpu0@host-a',1.7959518416206974983e+09,1.79595184164526367191e+09,NULL,NULL,'model','simulated: this sample was drawn to fail',NULL,3,1,NULL);
INSERT INTO "scores" VALUES(6,'done',1,3,1.79595184145014715197e+09,1.79595184145014715197e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595184165044450758e+09,1.79595184167469429968e+09,1.01079615014896262437e-02,NULL,NULL,NULL,'{"simulated": true}',3,2,5.83);
INSERT INTO "scores" VALUES(7,'failed',1,3,1.79595184146957230573e+09,1.79595184146957230573e+09,NULL,NULL,'edit+score-cpu0@host-a',1.7959518416206974983e+09,1.79595184164684867856e+09,NULL,NULL,'model','simulated: this sample was drawn to fail',NULL,4,1,NULL);
INSERT INTO "scores" VALUES(8,'done',1,3,1.79595184146957230573e+09,1.79595184146957230573e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595184165044450758e+09,1.79595184167577505114e+09,1.01079615014896262437e-02,NULL,NULL,NULL,'{"simulated": true}',4,2,5.69);
INSERT INTO "scores" VALUES(9,'done',1,3,1.79595184149101257326e+09,1.79595184149101257326e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595184168515229223e+09,1.79595184169826984407e+09,1.01576209999620914459e-02,NULL,NULL,NULL,'{"simulated": true}',5,1,9.45);
INSERT INTO "scores" VALUES(10,'done',1,3,1.79595184149101257326e+09,1.79595184149101257326e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595184170210337643e+09,1.79595184171501970294e+09,1.01601950009353458881e-02,NULL,NULL,NULL,'{"simulated": true}',5,2,4.35);
CREATE INDEX ix_edits_run_id_state ON edits (run_id, state);
CREATE INDEX ix_edits_state_published_at ON edits (state, published_at);
CREATE INDEX ix_scores_scorer_id_state ON scores (scorer_id, state);
CREATE INDEX ix_scores_state_published_at ON scores (state, published_at);
COMMIT;
