BEGIN TRANSACTION;
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
INSERT INTO "alembic_version" VALUES('0003');
CREATE TABLE benchmarks (
	id VARCHAR(64) NOT NULL, 
	name TEXT NOT NULL, 
	sample_count INTEGER NOT NULL, 
	created_at DOUBLE NOT NULL, 
	complete BOOLEAN NOT NULL, 
	CONSTRAINT pk_benchmarks PRIMARY KEY (id)
);
INSERT INTO "benchmarks" VALUES('6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa','benchmark',3,1.79595188912100791928e+09,1);
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
	environment VARCHAR(64), 
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
	CONSTRAINT ck_edits_attempt CHECK (attempt <= attempts_allowed), 
	CONSTRAINT ck_edits_claimed CHECK (state NOT IN ('running', 'done') OR attempt > 0), 
	CONSTRAINT ck_edits_image CHECK ((state = 'done') = (image IS NOT NULL)), 
	CONSTRAINT ck_edits_digest CHECK (length(image) = 64), 
	CONSTRAINT uq_edits_run_id_sample_id_repeat UNIQUE (run_id, sample_id, repeat), 
	CONSTRAINT fk_edits_environment FOREIGN KEY(environment) REFERENCES environments (id), 
	CONSTRAINT fk_edits_run_id FOREIGN KEY(run_id) REFERENCES runs (id), 
	CONSTRAINT fk_edits_sample_id FOREIGN KEY(sample_id) REFERENCES samples (id)
);
INSERT INTO "edits" VALUES(1,'done',1,3,1.79595188912901425359e+09,1.79595188913199162485e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595189104298496251e+09,1.7959518911640062332e+09,1.5269474999513477087e-02,NULL,NULL,NULL,NULL,'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038','4ff917997ea7',1,0,'d344afb1bf50c6b5479fa0acb64d2858af90da4316b1f4b909daac5858f9528e');
INSERT INTO "edits" VALUES(2,'done',1,3,1.79595188912901425359e+09,1.79595188913199162485e+09,NULL,NULL,'edit+score-cpu0@host-a',1.7959518912810041904e+09,1.79595189130800056455e+09,1.3054900002316571772e-02,NULL,NULL,NULL,NULL,'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038','4ff917997ea7',2,0,'8e18f07a5cb536cc35a9c73cc9860310302dd99d80bc9b1712615d28e00b3932');
INSERT INTO "edits" VALUES(3,'done',1,3,1.79595188912901425359e+09,1.79595188913199162485e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595189132200193406e+09,1.79595189135599875448e+09,1.47459569998318329453e-02,NULL,NULL,NULL,NULL,'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038','4ff917997ea7',3,0,'633bdf8c754d589e82c9ba041e58320ce25fc5a755a0105a66438bf259c4be90');
INSERT INTO "edits" VALUES(4,'done',1,3,1.79595188912901425359e+09,1.79595188913199162485e+09,NULL,NULL,'edit+score-cpu0@host-a',1795951891.37,1795951891.40798,1.55532069984474219381e-02,NULL,NULL,NULL,NULL,'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038','4ff917997ea7',1,1,'7cc9ec51c38d907e0dde407393d48236a1f94ce30ca83b8998677f2bf90d8772');
INSERT INTO "edits" VALUES(5,'done',1,3,1.79595188912901425359e+09,1.79595188913199162485e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595189144398880006e+09,1.79595189148398041729e+09,1.34116310000536032021e-02,NULL,NULL,NULL,NULL,'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038','4ff917997ea7',2,1,'f4696376d61462fe6185a378b1a78fd78594e5bc8d59a5dc7a94529642e57bd4');
INSERT INTO "edits" VALUES(6,'failed',1,3,1.79595188912901425359e+09,1.79595188913199162485e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595189149299263959e+09,1795951891.515,NULL,NULL,'model','simulated: this sample was drawn to fail',NULL,NULL,'4ff917997ea7',3,1,NULL);
INSERT INTO "edits" VALUES(7,'queued',0,3,1.79595189776698803906e+09,1.79595189777600026132e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'b80f098aff35',1,0,NULL);
INSERT INTO "edits" VALUES(8,'queued',0,3,1.79595189776698803906e+09,1.79595189777600026132e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'b80f098aff35',2,0,NULL);
INSERT INTO "edits" VALUES(9,'queued',0,3,1.79595189776698803906e+09,1.79595189777600026132e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'b80f098aff35',3,0,NULL);
INSERT INTO "edits" VALUES(10,'queued',0,3,1.79595189776698803906e+09,1.79595189777600026132e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'b80f098aff35',1,1,NULL);
INSERT INTO "edits" VALUES(11,'queued',0,3,1.79595189776698803906e+09,1.79595189777600026132e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'b80f098aff35',2,1,NULL);
INSERT INTO "edits" VALUES(12,'queued',0,3,1.79595189776698803906e+09,1.79595189777600026132e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'b80f098aff35',3,1,NULL);
CREATE TABLE environments (
	id VARCHAR(64) NOT NULL, 
	facts JSON NOT NULL, 
	CONSTRAINT pk_environments PRIMARY KEY (id)
);
INSERT INTO "environments" VALUES('aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038','{"device": "AMD EPYC", "libraries": {"pillow": "13.0.0"}, "model": {}, "python": "3.11.7"}');
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
INSERT INTO "run_scorers" VALUES(1,'4ff917997ea7','strict','{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}',2);
INSERT INTO "run_scorers" VALUES(2,'4ff917997ea7','kind','{"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}',2);
INSERT INTO "run_scorers" VALUES(3,'b80f098aff35','strict','{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}',2);
INSERT INTO "run_scorers" VALUES(4,'b80f098aff35','kind','{"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}',2);
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
INSERT INTO "runs" VALUES('4ff917997ea7','6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa','{"editor": {"name": "simulated", "label": "simulated", "options": {"seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "width": 8, "height": 8, "steps": 20, "oom_above": null}}, "scorers": [{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}, {"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}], "repeats": 2, "seed": 0, "limit": null}','normal',1.79595188912901425359e+09);
INSERT INTO "runs" VALUES('b80f098aff35','6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa','{"editor": {"name": "simulated", "label": "simulated", "options": {"seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "width": 8, "height": 8, "steps": 20, "oom_above": null}}, "scorers": [{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}, {"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}], "repeats": 2, "seed": 1, "limit": null}','normal',1.79595189776698803906e+09);
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
	environment VARCHAR(64), 
	edit_id INTEGER NOT NULL, 
	scorer_id INTEGER NOT NULL, 
	value DOUBLE, 
	CONSTRAINT pk_scores PRIMARY KEY (id), 
	CONSTRAINT ck_scores_state CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')), 
	CONSTRAINT ck_scores_claim CHECK ((state = 'running') = (owner IS NOT NULL AND lease_until IS NOT NULL)), 
	CONSTRAINT ck_scores_failure_kind CHECK ((state = 'failed') = (failure_kind IS NOT NULL)), 
	CONSTRAINT ck_scores_failure_reason CHECK ((failure_kind IS NULL) = (failure_reason IS NULL)), 
	CONSTRAINT ck_scores_finished_at CHECK ((state IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL)), 
	CONSTRAINT ck_scores_attempt CHECK (attempt <= attempts_allowed), 
	CONSTRAINT ck_scores_claimed CHECK (state NOT IN ('running', 'done') OR attempt > 0), 
	CONSTRAINT ck_scores_value CHECK ((state = 'done') = (value IS NOT NULL)), 
	CONSTRAINT ck_scores_scale CHECK (value BETWEEN 0 AND 10), 
	CONSTRAINT uq_scores_edit_id_scorer_id UNIQUE (edit_id, scorer_id), 
	CONSTRAINT fk_scores_environment FOREIGN KEY(environment) REFERENCES environments (id), 
	CONSTRAINT fk_scores_edit_id FOREIGN KEY(edit_id) REFERENCES edits (id), 
	CONSTRAINT fk_scores_scorer_id FOREIGN KEY(scorer_id) REFERENCES run_scorers (id)
);
INSERT INTO "scores" VALUES(1,'done',1,3,1.7959518911640062332e+09,1.7959518911640062332e+09,NULL,NULL,'edit+score-cpu0@host-a',1.7959518915250182151e+09,1.79595189156999874117e+09,1.09128639996924903243e-02,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',1,1,4.35);
INSERT INTO "scores" VALUES(2,'done',1,3,1.7959518911640062332e+09,1.7959518911640062332e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595189158701753614e+09,1.79595189163199806209e+09,1.114019750093575567e-02,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',1,2,1.56);
INSERT INTO "scores" VALUES(3,'done',1,3,1.79595189130800056455e+09,1.79595189130800056455e+09,NULL,NULL,'edit+score-cpu0@host-a',1.7959518915250182151e+09,1.79595189157599353793e+09,1.09128639996924903243e-02,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',2,1,9.41);
INSERT INTO "scores" VALUES(4,'done',1,3,1.79595189130800056455e+09,1.79595189130800056455e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595189158701753614e+09,1.79595189163899874684e+09,1.114019750093575567e-02,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',2,2,7.49);
INSERT INTO "scores" VALUES(5,'failed',1,3,1.79595189135599875448e+09,1.79595189135599875448e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595189165899467471e+09,1795951891.69098,NULL,NULL,'model','simulated: this sample was drawn to fail',NULL,NULL,3,1,NULL);
INSERT INTO "scores" VALUES(6,'done',1,3,1.79595189135599875448e+09,1.79595189135599875448e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595189171298742292e+09,1.79595189174799013133e+09,1.09234899973671417683e-02,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',3,2,5.83);
INSERT INTO "scores" VALUES(7,'failed',1,3,1795951891.40798,1795951891.40798,NULL,NULL,'edit+score-cpu0@host-a',1.79595189165899467471e+09,1.79595189170200371744e+09,NULL,NULL,'model','simulated: this sample was drawn to fail',NULL,NULL,4,1,NULL);
INSERT INTO "scores" VALUES(8,'done',1,3,1795951891.40798,1795951891.40798,NULL,NULL,'edit+score-cpu0@host-a',1.79595189171298742292e+09,1.79595189175599670404e+09,1.09234899973671417683e-02,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',4,2,5.69);
INSERT INTO "scores" VALUES(9,'done',1,3,1.79595189148398041729e+09,1.79595189148398041729e+09,NULL,NULL,'edit+score-cpu0@host-a',1795951891.77901,1.79595189180998945238e+09,1.17513919976772740483e-02,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',5,1,9.45);
INSERT INTO "scores" VALUES(10,'done',1,3,1.79595189148398041729e+09,1.79595189148398041729e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595189181900167464e+09,1.79595189183698606492e+09,1.17506200040224939584e-02,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',5,2,4.35);
CREATE TABLE workers (
	name TEXT NOT NULL, 
	process TEXT NOT NULL, 
	gpu TEXT NOT NULL, 
	health VARCHAR(16) NOT NULL, 
	reason TEXT, 
	since DOUBLE NOT NULL, 
	seen_at DOUBLE NOT NULL, 
	CONSTRAINT pk_workers PRIMARY KEY (name), 
	CONSTRAINT ck_workers_reason CHECK ((health = 'sick') = (reason IS NOT NULL))
);
CREATE INDEX ix_edits_state_published_at ON edits (state, published_at);
CREATE INDEX ix_edits_run_id_state ON edits (run_id, state);
CREATE INDEX ix_scores_state_published_at ON scores (state, published_at);
CREATE INDEX ix_scores_scorer_id_state ON scores (scorer_id, state);
COMMIT;
