BEGIN TRANSACTION;
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
INSERT INTO "alembic_version" VALUES('0002');
CREATE TABLE benchmarks (
	id VARCHAR(64) NOT NULL, 
	name TEXT NOT NULL, 
	sample_count INTEGER NOT NULL, 
	created_at DOUBLE NOT NULL, 
	complete BOOLEAN NOT NULL, 
	CONSTRAINT pk_benchmarks PRIMARY KEY (id)
);
INSERT INTO "benchmarks" VALUES('6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa','benchmark',3,1.79595185971134495739e+09,1);
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
	CONSTRAINT ck_edits_image CHECK ((state = 'done') = (image IS NOT NULL)), 
	CONSTRAINT uq_edits_run_id_sample_id_repeat UNIQUE (run_id, sample_id, repeat), 
	CONSTRAINT fk_edits_environment FOREIGN KEY(environment) REFERENCES environments (id), 
	CONSTRAINT fk_edits_run_id FOREIGN KEY(run_id) REFERENCES runs (id), 
	CONSTRAINT fk_edits_sample_id FOREIGN KEY(sample_id) REFERENCES samples (id)
);
INSERT INTO "edits" VALUES(1,'done',1,3,1.79595185971843361852e+09,1.79595185972072935104e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595186258129405976e+09,1.79595186271749615667e+09,1.15016509953420609235e-02,NULL,NULL,NULL,NULL,'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038','99ac298da470',1,0,'d344afb1bf50c6b5479fa0acb64d2858af90da4316b1f4b909daac5858f9528e');
INSERT INTO "edits" VALUES(2,'done',1,3,1.79595185971843361852e+09,1.79595185972072935104e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595186283332324027e+09,1.79595186286428570745e+09,1.30200090061407536268e-02,NULL,NULL,NULL,NULL,'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038','99ac298da470',2,0,'8e18f07a5cb536cc35a9c73cc9860310302dd99d80bc9b1712615d28e00b3932');
INSERT INTO "edits" VALUES(3,'done',1,3,1.79595185971843361852e+09,1.79595185972072935104e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595186310411953928e+09,1.79595186314796519274e+09,1.15639329960686154663e-02,NULL,NULL,NULL,NULL,'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038','99ac298da470',3,0,'633bdf8c754d589e82c9ba041e58320ce25fc5a755a0105a66438bf259c4be90');
INSERT INTO "edits" VALUES(4,'done',1,3,1.79595185971843361852e+09,1.79595185972072935104e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595186317294478418e+09,1.79595186320380854599e+09,1.12825840042205527424e-02,NULL,NULL,NULL,NULL,'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038','99ac298da470',1,1,'7cc9ec51c38d907e0dde407393d48236a1f94ce30ca83b8998677f2bf90d8772');
INSERT INTO "edits" VALUES(5,'done',1,3,1.79595185971843361852e+09,1.79595185972072935104e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595186322458863254e+09,1.795951863251999855e+09,1.11387100041611120104e-02,NULL,NULL,NULL,NULL,'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038','99ac298da470',2,1,'f4696376d61462fe6185a378b1a78fd78594e5bc8d59a5dc7a94529642e57bd4');
INSERT INTO "edits" VALUES(6,'failed',1,3,1.79595185971843361852e+09,1.79595185972072935104e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595186326866388323e+09,1.79595186328154659272e+09,NULL,NULL,'model','simulated: this sample was drawn to fail',NULL,NULL,'99ac298da470',3,1,NULL);
INSERT INTO "edits" VALUES(7,'queued',0,3,1.79595187140250873566e+09,1.79595187141500973702e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'9c832d5fbab3',1,0,NULL);
INSERT INTO "edits" VALUES(8,'queued',0,3,1.79595187140250873566e+09,1.79595187141500973702e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'9c832d5fbab3',2,0,NULL);
INSERT INTO "edits" VALUES(9,'queued',0,3,1.79595187140250873566e+09,1.79595187141500973702e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'9c832d5fbab3',3,0,NULL);
INSERT INTO "edits" VALUES(10,'queued',0,3,1.79595187140250873566e+09,1.79595187141500973702e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'9c832d5fbab3',1,1,NULL);
INSERT INTO "edits" VALUES(11,'queued',0,3,1.79595187140250873566e+09,1.79595187141500973702e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'9c832d5fbab3',2,1,NULL);
INSERT INTO "edits" VALUES(12,'queued',0,3,1.79595187140250873566e+09,1.79595187141500973702e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'9c832d5fbab3',3,1,NULL);
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
INSERT INTO "run_scorers" VALUES(1,'99ac298da470','strict','{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}',2);
INSERT INTO "run_scorers" VALUES(2,'99ac298da470','kind','{"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}',2);
INSERT INTO "run_scorers" VALUES(3,'9c832d5fbab3','strict','{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}',2);
INSERT INTO "run_scorers" VALUES(4,'9c832d5fbab3','kind','{"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}',2);
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
INSERT INTO "runs" VALUES('99ac298da470','6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa','{"editor": {"name": "simulated", "label": "simulated", "options": {"seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "seed": 0, "width": 8, "height": 8, "steps": 1, "oom_above": null}}, "scorers": [{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}, {"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}], "repeats": 2, "seed": 0, "limit": null}','normal',1.79595185971843361852e+09);
INSERT INTO "runs" VALUES('9c832d5fbab3','6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa','{"editor": {"name": "simulated", "label": "simulated", "options": {"seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "seed": 0, "width": 8, "height": 8, "steps": 1, "oom_above": null}}, "scorers": [{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}, {"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}], "repeats": 2, "seed": 1, "limit": null}','normal',1.79595187140250873566e+09);
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
	CONSTRAINT ck_scores_value CHECK ((state = 'done') = (value IS NOT NULL)), 
	CONSTRAINT uq_scores_edit_id_scorer_id UNIQUE (edit_id, scorer_id), 
	CONSTRAINT fk_scores_environment FOREIGN KEY(environment) REFERENCES environments (id), 
	CONSTRAINT fk_scores_edit_id FOREIGN KEY(edit_id) REFERENCES edits (id), 
	CONSTRAINT fk_scores_scorer_id FOREIGN KEY(scorer_id) REFERENCES run_scorers (id)
);
INSERT INTO "scores" VALUES(1,'done',1,3,1.79595186271749615667e+09,1.79595186271749615667e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595186336482810969e+09,1.79595186341792058945e+09,1.01142314997559878975e-02,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',1,1,4.35);
INSERT INTO "scores" VALUES(2,'done',1,3,1.79595186271749615667e+09,1.79595186271749615667e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595186350335097313e+09,1.79595186356562304492e+09,1.01061514978937339037e-02,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',1,2,1.56);
INSERT INTO "scores" VALUES(3,'done',1,3,1.79595186286428570745e+09,1.79595186286428570745e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595186336482810969e+09,1.79595186343698096269e+09,1.01142314997559878975e-02,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',2,1,9.41);
INSERT INTO "scores" VALUES(4,'done',1,3,1.79595186286428570745e+09,1.79595186286428570745e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595186350335097313e+09,1.79595186356658792492e+09,1.01061514978937339037e-02,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',2,2,7.49);
INSERT INTO "scores" VALUES(5,'failed',1,3,1.79595186314796519274e+09,1.79595186314796519274e+09,NULL,NULL,'edit+score-cpu0@host-a',1.7959518635998661518e+09,1.79595186365311551088e+09,NULL,NULL,'model','simulated: this sample was drawn to fail',NULL,NULL,3,1,NULL);
INSERT INTO "scores" VALUES(6,'done',1,3,1.79595186314796519274e+09,1.79595186314796519274e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595186366184496884e+09,1.79595186370587468144e+09,1.16252739971969276666e-02,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',3,2,5.83);
INSERT INTO "scores" VALUES(7,'failed',1,3,1.79595186320380854599e+09,1.79595186320380854599e+09,NULL,NULL,'edit+score-cpu0@host-a',1.7959518635998661518e+09,1.7959518636553461552e+09,NULL,NULL,'model','simulated: this sample was drawn to fail',NULL,NULL,4,1,NULL);
INSERT INTO "scores" VALUES(8,'done',1,3,1.79595186320380854599e+09,1.79595186320380854599e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595186366184496884e+09,1.7959518637068083287e+09,1.16252739971969276666e-02,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',4,2,5.69);
INSERT INTO "scores" VALUES(9,'done',1,3,1.795951863251999855e+09,1.795951863251999855e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595186374382853504e+09,1.79595186377728700637e+09,1.01765790022909641265e-02,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',5,1,9.45);
INSERT INTO "scores" VALUES(10,'done',1,3,1.795951863251999855e+09,1.795951863251999855e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79595186378431701662e+09,1.79595186380784416204e+09,1.25870650008437223732e-02,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',5,2,4.35);
CREATE INDEX ix_edits_state_published_at ON edits (state, published_at);
CREATE INDEX ix_edits_run_id_state ON edits (run_id, state);
CREATE INDEX ix_scores_scorer_id_state ON scores (scorer_id, state);
CREATE INDEX ix_scores_state_published_at ON scores (state, published_at);
COMMIT;
