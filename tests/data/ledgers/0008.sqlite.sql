BEGIN TRANSACTION;
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
INSERT INTO "alembic_version" VALUES('0008');
CREATE TABLE benchmarks (
	id VARCHAR(64) NOT NULL, 
	name TEXT NOT NULL, 
	sample_count INTEGER NOT NULL, 
	created_at DOUBLE NOT NULL, 
	complete BOOLEAN NOT NULL, 
	CONSTRAINT pk_benchmarks PRIMARY KEY (id)
);
INSERT INTO "benchmarks" VALUES('6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa','benchmark',3,1.79596323641399598126e+09,1);
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
	retried BOOLEAN DEFAULT 0 NOT NULL, 
	run_id VARCHAR(12) NOT NULL, 
	sample_id INTEGER NOT NULL, 
	repeat INTEGER NOT NULL, 
	image VARCHAR(64), 
	made_for VARCHAR(12), 
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
	CONSTRAINT uq_edits_sample_id_run_id_repeat UNIQUE (sample_id, run_id, repeat), 
	CONSTRAINT fk_edits_environment FOREIGN KEY(environment) REFERENCES environments (id), 
	CONSTRAINT fk_edits_run_id FOREIGN KEY(run_id) REFERENCES runs (id), 
	CONSTRAINT fk_edits_sample_id FOREIGN KEY(sample_id) REFERENCES samples (id)
);
INSERT INTO "edits" VALUES(1,'done',1,3,1.79596323655799031257e+09,1.79596323670898532862e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79596324966699171063e+09,1.79596325021798467642e+09,1.52794599998742341995e-02,NULL,NULL,NULL,NULL,'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',0,'99bf0d64316c',1,0,'d344afb1bf50c6b5479fa0acb64d2858af90da4316b1f4b909daac5858f9528e',NULL);
INSERT INTO "edits" VALUES(2,'done',1,3,1.79596323655799031257e+09,1.79596323670898532862e+09,NULL,NULL,'edit+score-cpu0@host-a',1.7959632500510170459e+09,1.79596325092801904679e+09,9.6726883988594636321e-02,NULL,NULL,NULL,NULL,'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',0,'99bf0d64316c',3,0,'633bdf8c754d589e82c9ba041e58320ce25fc5a755a0105a66438bf259c4be90',NULL);
INSERT INTO "edits" VALUES(3,'done',1,3,1.79596323655799031257e+09,1.79596323670898532862e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79596325013401794429e+09,1.79596325092801904679e+09,3.24073199881240725517e-02,NULL,NULL,NULL,NULL,'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',0,'99bf0d64316c',2,0,'8e18f07a5cb536cc35a9c73cc9860310302dd99d80bc9b1712615d28e00b3932',NULL);
INSERT INTO "edits" VALUES(4,'done',1,3,1.79596323655799031257e+09,1.79596323670898532862e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79596325025399327279e+09,1.79596325092801904679e+09,1.38744419993599876761e-01,NULL,NULL,NULL,NULL,'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',0,'99bf0d64316c',1,1,'7cc9ec51c38d907e0dde407393d48236a1f94ce30ca83b8998677f2bf90d8772',NULL);
INSERT INTO "edits" VALUES(5,'failed',1,3,1.79596323655799031257e+09,1.79596323670898532862e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79596325032299304006e+09,1.79596325092801904679e+09,NULL,NULL,'model','simulated: this sample was drawn to fail',NULL,NULL,0,'99bf0d64316c',3,1,NULL,NULL);
INSERT INTO "edits" VALUES(6,'done',1,3,1.79596323655799031257e+09,1.79596323670898532862e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79596325049301838881e+09,1.79596325092801904679e+09,5.29454630013788118958e-02,NULL,NULL,NULL,NULL,'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',0,'99bf0d64316c',2,1,'f4696376d61462fe6185a378b1a78fd78594e5bc8d59a5dc7a94529642e57bd4',NULL);
INSERT INTO "edits" VALUES(7,'queued',0,3,1.79596328033498072625e+09,1.7959632804409952164e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,'207e79587d24',1,0,NULL,NULL);
INSERT INTO "edits" VALUES(8,'queued',0,3,1.79596328033498072625e+09,1.7959632804409952164e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,'207e79587d24',3,0,NULL,NULL);
INSERT INTO "edits" VALUES(9,'queued',0,3,1.79596328033498072625e+09,1.7959632804409952164e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,'207e79587d24',2,0,NULL,NULL);
INSERT INTO "edits" VALUES(10,'queued',0,3,1.79596328033498072625e+09,1.7959632804409952164e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,'207e79587d24',1,1,NULL,NULL);
INSERT INTO "edits" VALUES(11,'queued',0,3,1.79596328033498072625e+09,1.7959632804409952164e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,'207e79587d24',3,1,NULL,NULL);
INSERT INTO "edits" VALUES(12,'queued',0,3,1.79596328033498072625e+09,1.7959632804409952164e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,'207e79587d24',2,1,NULL,NULL);
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
	repeat INTEGER DEFAULT 0 NOT NULL, 
	scale_min DOUBLE DEFAULT 0 NOT NULL, 
	scale_max DOUBLE DEFAULT 10 NOT NULL, 
	CONSTRAINT pk_run_scorers PRIMARY KEY (id), 
	CONSTRAINT uq_run_scorers_run_id_label_repeat UNIQUE (run_id, label, repeat), 
	CONSTRAINT fk_run_scorers_run_id FOREIGN KEY(run_id) REFERENCES runs (id)
);
INSERT INTO "run_scorers" VALUES(1,'99bf0d64316c','strict','{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "per_pixels": null, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}',2,0,0.0,10.0);
INSERT INTO "run_scorers" VALUES(2,'99bf0d64316c','kind','{"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "per_pixels": null, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}',2,0,0.0,10.0);
INSERT INTO "run_scorers" VALUES(3,'207e79587d24','strict','{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "per_pixels": null, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}',2,0,0.0,10.0);
INSERT INTO "run_scorers" VALUES(4,'207e79587d24','kind','{"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "per_pixels": null, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}',2,0,0.0,10.0);
CREATE TABLE runs (
	id VARCHAR(12) NOT NULL, 
	benchmark_id VARCHAR(64) NOT NULL, 
	configuration JSON NOT NULL, 
	priority VARCHAR(8) NOT NULL, 
	editing VARCHAR(64), 
	created_at DOUBLE NOT NULL, 
	prompts JSON, 
	CONSTRAINT pk_runs PRIMARY KEY (id), 
	CONSTRAINT ck_runs_priority CHECK (priority IN ('low', 'normal', 'high')), 
	CONSTRAINT fk_runs_benchmark_id FOREIGN KEY(benchmark_id) REFERENCES benchmarks (id)
);
INSERT INTO "runs" VALUES('99bf0d64316c','6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa','{"editor": {"name": "simulated", "label": "simulated", "options": {"seconds": 0.01, "spread": 0.0, "per_pixels": null, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "width": 8, "height": 8, "steps": 20, "oom_above": null}}, "scorers": [{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "per_pixels": null, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}, {"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "per_pixels": null, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}], "repeats": 2, "seed": 0, "limit": null}','normal','a84fb47ae4a63278322605f7d59aa72bf348e9ab625bb9982a3215ddd90bf6b8',1.79596323655799031257e+09,'{}');
INSERT INTO "runs" VALUES('207e79587d24','6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa','{"editor": {"name": "simulated", "label": "simulated", "options": {"seconds": 0.01, "spread": 0.0, "per_pixels": null, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "width": 8, "height": 8, "steps": 20, "oom_above": null}}, "scorers": [{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "per_pixels": null, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}, {"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "per_pixels": null, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}], "repeats": 2, "seed": 1, "limit": null}','normal','1b8e28f6e253d098bd871883e2a75a4eaade4dde88eb3f3c0ac95e5222824ac5',1.79596328033498072625e+09,'{}');
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
	reference_text TEXT, 
	more_sources TEXT DEFAULT '' NOT NULL, 
	fields JSON, 
	CONSTRAINT pk_samples PRIMARY KEY (id), 
	CONSTRAINT uq_samples_benchmark_id_position UNIQUE (benchmark_id, position), 
	CONSTRAINT uq_samples_benchmark_id_category_key UNIQUE (benchmark_id, category, "key"), 
	CONSTRAINT fk_samples_benchmark_id FOREIGN KEY(benchmark_id) REFERENCES benchmarks (id)
);
INSERT INTO "samples" VALUES(1,'6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa',0,'rain','物理','add rain','a teal square','06f21cb171f614906b6ae9096d3a7436d9a470aea8bcd2245305b08f728d0fcc',NULL,NULL,'',NULL);
INSERT INTO "samples" VALUES(2,'6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa',1,'snow','物理','add snow','a teal square','06f21cb171f614906b6ae9096d3a7436d9a470aea8bcd2245305b08f728d0fcc',NULL,NULL,'',NULL);
INSERT INTO "samples" VALUES(3,'6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa',2,'crowd','社会','add crowd','a teal square','06f21cb171f614906b6ae9096d3a7436d9a470aea8bcd2245305b08f728d0fcc',NULL,NULL,'',NULL);
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
	retried BOOLEAN DEFAULT 0 NOT NULL, 
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
	CONSTRAINT ck_scores_scale CHECK (value BETWEEN 0 AND 100), 
	CONSTRAINT uq_scores_edit_id_scorer_id UNIQUE (edit_id, scorer_id), 
	CONSTRAINT fk_scores_environment FOREIGN KEY(environment) REFERENCES environments (id), 
	CONSTRAINT fk_scores_edit_id FOREIGN KEY(edit_id) REFERENCES edits (id), 
	CONSTRAINT fk_scores_scorer_id FOREIGN KEY(scorer_id) REFERENCES run_scorers (id)
);
INSERT INTO "scores" VALUES(1,'done',1,3,1.79596325021798467642e+09,1.79596325021798467642e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79596325108199119571e+09,1.79596325148999547962e+09,6.97091914989869110286e-02,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',0,1,1,4.35);
INSERT INTO "scores" VALUES(2,'done',1,3,1.79596325021798467642e+09,1.79596325021798467642e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79596325196301650995e+09,1.79596325228001332287e+09,1.21716693996859248727e-01,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',0,1,2,1.56);
INSERT INTO "scores" VALUES(3,'failed',1,3,1.79596325092801904679e+09,1.79596325092801904679e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79596325108199119571e+09,1.79596325148999547962e+09,NULL,NULL,'model','simulated: this sample was drawn to fail',NULL,NULL,0,2,1,NULL);
INSERT INTO "scores" VALUES(4,'done',1,3,1.79596325092801904679e+09,1.79596325092801904679e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79596325196301650995e+09,1.79596325228001332287e+09,1.21716693996859248727e-01,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',0,2,2,5.83);
INSERT INTO "scores" VALUES(5,'done',1,3,1.79596325092801904679e+09,1.79596325092801904679e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79596325138200974469e+09,1.79596325168399953845e+09,2.22422329970868304371e-02,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',0,3,1,9.41);
INSERT INTO "scores" VALUES(6,'done',1,3,1.79596325092801904679e+09,1.79596325092801904679e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79596325202698707578e+09,1.79596325237299203874e+09,2.72754504985641688108e-02,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',0,3,2,7.49);
INSERT INTO "scores" VALUES(7,'failed',1,3,1.79596325092801904679e+09,1.79596325092801904679e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79596325138200974469e+09,1.79596325168399953845e+09,NULL,NULL,'model','simulated: this sample was drawn to fail',NULL,NULL,0,4,1,NULL);
INSERT INTO "scores" VALUES(8,'done',1,3,1.79596325092801904679e+09,1.79596325092801904679e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79596325202698707578e+09,1.79596325237299203874e+09,2.72754504985641688108e-02,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',0,4,2,5.69);
INSERT INTO "scores" VALUES(9,'done',1,3,1.79596325092801904679e+09,1.79596325092801904679e+09,NULL,NULL,'edit+score-cpu0@host-a',1.7959632515700192451e+09,1.79596325177400112154e+09,2.29860749968793243169e-02,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',0,6,1,9.45);
INSERT INTO "scores" VALUES(10,'done',1,3,1.79596325092801904679e+09,1.79596325092801904679e+09,NULL,NULL,'edit+score-cpu0@host-a',1.79596325230000925061e+09,1.79596325251199746136e+09,1.12794354994548484683e-01,NULL,NULL,NULL,'{"simulated": true}','aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038',0,6,2,4.35);
CREATE TABLE timings (
	model VARCHAR(64) NOT NULL, 
	seconds DOUBLE, 
	jobs INTEGER DEFAULT 0 NOT NULL, 
	load_seconds DOUBLE, 
	measured_at DOUBLE NOT NULL, 
	CONSTRAINT pk_timings PRIMARY KEY (model)
);
INSERT INTO "timings" VALUES('b6f62ce0c4c1f495b98108521e75a95707d1550782e27ff114823eb4b3dd8944',6.72207093943143207948e-02,5,1.51663537995773367583e-01,1.79596325066400909421e+09);
INSERT INTO "timings" VALUES('2cfc6adba597403c944cb1b3b2fad8175f3d8cdb60c9ef028edc8aff2050951e',4.59757122480368707329e-02,2,3.80140710039995610713e-02,1.79596325203700518603e+09);
INSERT INTO "timings" VALUES('508797af49c72d26d9243b74207668f3c4222661877358241f59a3f74a1f8f96',NULL,0,1.75439779995940625667e-02,1.79596325203700518603e+09);
CREATE TABLE workers (
	name TEXT NOT NULL, 
	process TEXT NOT NULL, 
	gpu TEXT NOT NULL, 
	health VARCHAR(16) NOT NULL, 
	reason TEXT, 
	since DOUBLE NOT NULL, 
	seen_at DOUBLE NOT NULL, 
	stages TEXT DEFAULT '' NOT NULL, 
	stage VARCHAR(5), 
	run_id VARCHAR(12), 
	ready_at DOUBLE, 
	idle BOOLEAN DEFAULT 0 NOT NULL, 
	pace DOUBLE DEFAULT (1.0) NOT NULL, 
	CONSTRAINT pk_workers PRIMARY KEY (name), 
	CONSTRAINT ck_workers_reason CHECK ((health = 'sick') = (reason IS NOT NULL))
);
CREATE INDEX ix_samples_benchmark_id ON samples (benchmark_id) WHERE more_sources <> '';
CREATE INDEX ix_runs_editing ON runs (editing);
CREATE INDEX ix_edits_state_published_at ON edits (state, published_at);
CREATE INDEX ix_edits_run_id_state_id ON edits (run_id, state, id);
CREATE INDEX ix_edits_run_id_state_not_before ON edits (run_id, state, not_before) WHERE state = 'queued' AND attempt > 0;
CREATE INDEX ix_scores_state_published_at ON scores (state, published_at);
CREATE INDEX ix_scores_scorer_id_state_not_before ON scores (scorer_id, state, not_before) WHERE state = 'queued' AND attempt > 0;
CREATE INDEX ix_scores_scorer_id_state_id ON scores (scorer_id, state, id);
COMMIT;
