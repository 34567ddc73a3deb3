BEGIN TRANSACTION;
CREATE TABLE "audit_chainhead" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "sequence" bigint NOT NULL, "hash" varchar(64) NOT NULL, CONSTRAINT "audit_one_head" CHECK ("id" = 1));
INSERT INTO "audit_chainhead" VALUES(1,51,'6ffec0834ae3e341d1778e60f658b2a7968358bcce390f13af245ba1413fb88b');
CREATE TABLE "audit_event" ("sequence" bigint NOT NULL PRIMARY KEY, "at" datetime NOT NULL, "actor_name" varchar(150) NOT NULL, "api_key" varchar(100) NOT NULL, "door" varchar(16) NOT NULL, "action" varchar(64) NOT NULL, "subject_type" varchar(64) NOT NULL, "subject_id" varchar(64) NOT NULL, "subject_name" varchar(255) NOT NULL, "data" text NOT NULL CHECK ((JSON_VALID("data") OR "data" IS NULL)), "request_id" varchar(64) NOT NULL, "remote_address" char(39) NULL, "previous_hash" varchar(64) NOT NULL, "hash" varchar(64) NOT NULL UNIQUE, "actor_id" char(32) NULL REFERENCES "owners_principal" ("id") DEFERRABLE INITIALLY DEFERRED);
INSERT INTO "audit_event" VALUES(1,'2026-11-25 18:58:29.721968','system','','system','principal.create','owners.principal','12723b5e-5e8d-4d14-b2a2-9e4dd9ba350b','alice','{"kind": "human", "role": "operator"}','',NULL,'0000000000000000000000000000000000000000000000000000000000000000','7dfc222fc06a9ac6d5a45c5da6b1fb09ce080a24bc911c20be4ded0a1726e166','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(2,'2026-11-25 18:58:29.745721','system','','system','apikey.create','owners.apikey','4d8e6dd1-cd25-4635-8825-b34c0c2a829b','alice-demo (g5xonhskub…)','{"principal": "alice", "role_cap": "operator", "expires_at": null, "allowed_networks": []}','',NULL,'7dfc222fc06a9ac6d5a45c5da6b1fb09ce080a24bc911c20be4ded0a1726e166','07e9816d0514de7a039876e161e65549698b0c0645402d13a0222699f71d619d','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(3,'2026-11-25 18:58:31.091336','system','','system','principal.create','owners.principal','9ecc8704-2642-4262-b2a6-280f1ed559ac','bob','{"kind": "human", "role": "operator"}','',NULL,'07e9816d0514de7a039876e161e65549698b0c0645402d13a0222699f71d619d','9339939f44b2baf6ae888ce55527787828e0829f35da619695de0addc3e3befa','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(4,'2026-11-25 18:58:31.094295','system','','system','apikey.create','owners.apikey','cfafcd76-71e2-41c0-930b-2010d0376961','bob-demo (gw362p4rum…)','{"principal": "bob", "role_cap": "operator", "expires_at": null, "allowed_networks": []}','',NULL,'9339939f44b2baf6ae888ce55527787828e0829f35da619695de0addc3e3befa','7cc9d2a37e68d941f3b85e6183c711d1a1345df4d35827761cdb4197aa3729a9','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(5,'2026-11-25 18:58:32.423702','system','','system','principal.create','owners.principal','18970f57-25af-4f24-9382-1a5032cab008','carol','{"kind": "human", "role": "admin"}','',NULL,'7cc9d2a37e68d941f3b85e6183c711d1a1345df4d35827761cdb4197aa3729a9','8e561379e6997df1cb3825e348b2481594bab64797394b5aa4d05ca43aa76829','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(6,'2026-11-25 18:58:32.425843','system','','system','apikey.create','owners.apikey','52b0fbf1-e967-499d-8f4a-5ac43c7af6ef','carol-demo (d6bj4bxw3f…)','{"principal": "carol", "role_cap": "admin", "expires_at": null, "allowed_networks": []}','',NULL,'8e561379e6997df1cb3825e348b2481594bab64797394b5aa4d05ca43aa76829','3c4e18cf21593d9e14e7b15b2ed2dfb9a4fadc66411c1fd88c1f17a8947747a1','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(7,'2026-11-25 18:58:33.766921','system','','system','principal.create','owners.principal','61c3a1ff-63f9-41da-91ec-d16d90d34056','victor','{"kind": "human", "role": "viewer"}','',NULL,'3c4e18cf21593d9e14e7b15b2ed2dfb9a4fadc66411c1fd88c1f17a8947747a1','cf23e13cc9e40ee27d4da9d26f126d0136c9e7e3cda126bde9e40987a251c542','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(8,'2026-11-25 18:58:33.769168','system','','system','apikey.create','owners.apikey','02d3a329-c15f-44c4-98d6-921c6ab80763','victor-demo (p2gkg3i4az…)','{"principal": "victor", "role_cap": "viewer", "expires_at": null, "allowed_networks": []}','',NULL,'cf23e13cc9e40ee27d4da9d26f126d0136c9e7e3cda126bde9e40987a251c542','02f261b2b04208695bdf4f41c6d3a9f5bfac4babfd44bdd14433bc6f2a6c2ed2','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(9,'2026-11-25 18:58:33.858490','system','','cli','issuer.create','issuers.issuer','bbc78d48-7dc3-404e-9ba1-8e515dd62bdb','demo-root','{"kind": "local", "key_algorithm": "ecdsa-p256", "parent": null, "fingerprint": "707f6e9fc816ab06815a283e0212408230722e0c53037c0e2aba4e7ad2c0f4c9", "not_after": "2036-11-22T18:57:32+00:00"}','',NULL,'02f261b2b04208695bdf4f41c6d3a9f5bfac4babfd44bdd14433bc6f2a6c2ed2','17ba08c155929b1b561d16ac05f382d190e62db7fe3508790c8873b52f25744f','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(10,'2026-11-25 18:58:33.903374','system','','cli','crl.publish','issuers.issuer','bbc78d48-7dc3-404e-9ba1-8e515dd62bdb','demo-root','{"number": 1, "entries": 0, "sha256": "1c744d3d3ccaf9c16b9fa8a997f459a59daefc1585a605edb809ea8cf4c60e19", "next_update": "2026-12-02T18:58:33+00:00"}','',NULL,'17ba08c155929b1b561d16ac05f382d190e62db7fe3508790c8873b52f25744f','b9839c8e239d0a6894a8dcc12f20687c2b5ee87c62433a66e028b7a206ee0e11','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(11,'2026-11-25 18:58:33.932456','system','','cli','issuer.create','issuers.issuer','94bf2d62-b3d0-44ca-a947-5040e3a76e33','demo-issuing','{"kind": "local", "key_algorithm": "ecdsa-p256", "parent": "demo-root", "fingerprint": "4a3c1d121ced97cb29d4bda67f40f48c30df074145fc8dea2e76c2a9ffb5f576", "not_after": "2031-11-24T18:57:32+00:00"}','',NULL,'b9839c8e239d0a6894a8dcc12f20687c2b5ee87c62433a66e028b7a206ee0e11','147bb5c4d3d5d438a047b60c48b756f46b67fb3fb8158da87a7505ef89d6f1e6','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(12,'2026-11-25 18:58:33.955525','system','','cli','certificate.register','certificates.certificate','d5d00b66-482c-4493-bd54-b60f2793ace1','CA demo-issuing','{"common_name": "certctl Demo Issuing CA", "sans": [], "owner": "PKI operations", "issuer": "demo-root", "profile": "ca"}','',NULL,'147bb5c4d3d5d438a047b60c48b756f46b67fb3fb8158da87a7505ef89d6f1e6','592144121b3902a8fbf38283529bea7effcab8d75dc6eee95e0648b867445a7b','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(13,'2026-11-25 18:58:34.008301','system','','cli','crl.publish','issuers.issuer','94bf2d62-b3d0-44ca-a947-5040e3a76e33','demo-issuing','{"number": 1, "entries": 0, "sha256": "dcba474dacf7709bf2095b524b43e6609f99f963dea22dd06683edfc42ecb6c0", "next_update": "2026-12-02T18:58:33+00:00"}','',NULL,'592144121b3902a8fbf38283529bea7effcab8d75dc6eee95e0648b867445a7b','904ea418aa27bf84266225d222e205152bcab2872f27e41143c242538dfb6026','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(14,'2026-11-25 18:58:34.010190','system','','system','profile.create','issuers.profile','1d3aee0d-49c5-41c2-a5c4-1887535f9481','tls-server','{"changes": {"slug": {"before": "", "after": "tls-server"}, "name": {"before": "", "after": "TLS server"}, "description": {"before": "", "after": "47 days; somebody else approves the first issuance."}, "key_algorithms": {"before": [], "after": ["ecdsa-p256", "ecdsa-p384", "rsa-2048", "ed25519"]}, "key_usage": {"before": [], "after": ["digitalSignature"]}, "extended_key_usage": {"before": [], "after": ["serverAuth"]}, "allowed_sans": {"before": [], "after": ["dns:*.demo.internal"]}, "subject_attributes": {"before": [], "after": ["CN"]}, "approval_required_for": {"before": [], "after": ["Issuance"]}}}','',NULL,'904ea418aa27bf84266225d222e205152bcab2872f27e41143c242538dfb6026','321ee3985d71d8fd5f42ecb7058dc68a53fe364cf35fc71e53e058e6c497ebd2','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(15,'2026-11-25 18:58:34.028756','system','','system','profile.create','issuers.profile','0dc15698-11ee-44cb-9ba0-7eb6b22dab80','tls-short','{"changes": {"slug": {"before": "", "after": "tls-short"}, "name": {"before": "", "after": "Short-lived TLS"}, "description": {"before": "", "after": "30 minutes: noRevAvail, in no CRL and no OCSP (RFC 9608)."}, "key_algorithms": {"before": [], "after": ["ecdsa-p256", "ecdsa-p384", "rsa-2048", "ed25519"]}, "max_lifetime": {"before": "47 days, 0:00:00", "after": "0:30:00"}, "key_usage": {"before": [], "after": ["digitalSignature"]}, "extended_key_usage": {"before": [], "after": ["serverAuth"]}, "allowed_sans": {"before": [], "after": ["dns:*.demo.internal"]}, "subject_attributes": {"before": [], "after": ["CN"]}}}','',NULL,'321ee3985d71d8fd5f42ecb7058dc68a53fe364cf35fc71e53e058e6c497ebd2','0fc7aeab1fd271ac4bb76ac78e31f96fa3ff4226b8d2115c10cbcab986f02435','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(16,'2026-11-25 18:58:34.030243','system','','system','renewalpolicy.create','certificates.renewalpolicy','36df0de5-d267-44e4-abe1-1d5b0ec73291','standard','{"after": {"name": "standard", "auto_renew": true, "window": "14 days, 0:00:00", "reuse_key": true, "max_attempts": 3, "retry_delay": "0:01:00", "alert_days": [30, 14, 7, 0]}}','',NULL,'0fc7aeab1fd271ac4bb76ac78e31f96fa3ff4226b8d2115c10cbcab986f02435','6227397ed41814cb715c993b75ed9694fa7e6779684af37d3d15150835377a45','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(17,'2026-11-25 18:58:34.051991','system','','system','owner.create','owners.owner','15c74ca6-0022-47fc-927b-e8349ca54af6','Web platform','{"changes": {"name": {"before": "", "after": "Web platform"}, "email": {"before": "", "after": "web-platform@demo.internal"}}}','',NULL,'6227397ed41814cb715c993b75ed9694fa7e6779684af37d3d15150835377a45','84364e18301720a90888cb0bf0db60459af5cd757e400e8de8e2bd081187e656','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(18,'2026-11-25 18:58:34.133899','system','','system','target.create','deployments.target','bf39c9d6-c965-496d-a6ab-17cfa9ab5b10','demo-web','{"after": {"name": "demo-web", "kind": "file", "enabled": true, "agent": null, "config": {"certificate_path": "/srv/certctl/demo/site/fullchain.pem", "key_path": "/srv/certctl/demo/site/key.pem", "fullchain": true}, "endpoint_host": "127.0.0.1", "endpoint_port": 43819, "server_name": ""}, "secrets": []}','',NULL,'84364e18301720a90888cb0bf0db60459af5cd757e400e8de8e2bd081187e656','c6032333c8ef785de04aa492e97588252eeb9d7062d3fd0a76040fc6326a9122','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(19,'2026-11-25 18:58:51.279277','alice','alice-demo','rest','certificate.register','certificates.certificate','ca42db8e-7918-4891-ab2d-34c371115f0d','web.demo.internal','{"common_name": "web.demo.internal", "sans": ["dns:web.demo.internal"], "owner": "Web platform", "issuer": "demo-issuing", "profile": "tls-server"}','626c955998ed440099b6883d01dc57c2','127.0.0.1','c6032333c8ef785de04aa492e97588252eeb9d7062d3fd0a76040fc6326a9122','558e28a1060ca2b50d433844574bbc755ed686919ad652e34f132d80278f5477','12723b5e5e8d4d14b2a29e4dd9ba350b');
INSERT INTO "audit_event" VALUES(20,'2026-11-25 18:58:51.282381','alice','alice-demo','rest','deployment.bind','deployments.deployment','24a6b16a-d8cf-4396-9494-efb845aa18a7','web.demo.internal on demo-web','{"certificate": "ca42db8e-7918-4891-ab2d-34c371115f0d", "target": "bf39c9d6-c965-496d-a6ab-17cfa9ab5b10"}','626c955998ed440099b6883d01dc57c2','127.0.0.1','558e28a1060ca2b50d433844574bbc755ed686919ad652e34f132d80278f5477','c89b57ab68638eba61c74e0bbcc2f30ee9c56b9f1010eb206ec5abe4c0ec50a7','12723b5e5e8d4d14b2a29e4dd9ba350b');
INSERT INTO "audit_event" VALUES(21,'2026-11-25 18:58:51.309036','alice','alice-demo','rest','job.request','jobs.job','23423ff0-4b26-4fcc-81ee-383f2e7c0f4a','Issuance of web.demo.internal','{"kind": "Issuance", "status": "AwaitingApproval", "certificate": "ca42db8e-7918-4891-ab2d-34c371115f0d", "target": null, "server_key": false}','626c955998ed440099b6883d01dc57c2','127.0.0.1','c89b57ab68638eba61c74e0bbcc2f30ee9c56b9f1010eb206ec5abe4c0ec50a7','e64597a5fe5ebf3d17bb3ac00b1b687653d982eb9d5c07672fc48253bb8f567d','12723b5e5e8d4d14b2a29e4dd9ba350b');
INSERT INTO "audit_event" VALUES(22,'2026-11-25 18:58:51.466291','alice','alice-demo','rest','job.approve.refuse','jobs.job','23423ff0-4b26-4fcc-81ee-383f2e7c0f4a','Issuance of web.demo.internal','{"code": "self_approval", "status": 403, "path": "/api/v1/jobs/23423ff0-4b26-4fcc-81ee-383f2e7c0f4a/approve/"}','b2f5d4e542b34eccab0005493beccf93','127.0.0.1','e64597a5fe5ebf3d17bb3ac00b1b687653d982eb9d5c07672fc48253bb8f567d','da6efb6ea0b45aabe7279df712655fc7be637454e02c78e5ae63011008676fa5','12723b5e5e8d4d14b2a29e4dd9ba350b');
INSERT INTO "audit_event" VALUES(23,'2026-11-25 18:58:51.697016','bob','bob-demo','rest','job.approve','jobs.job','23423ff0-4b26-4fcc-81ee-383f2e7c0f4a','Issuance of web.demo.internal','{"before": "AwaitingApproval", "after": "Pending", "reason": "known host", "digest": "fde3ba01b68ce6d8dc927d4c04c4167b291595dd9d68721c4b060eae3f93b99a"}','6c3617e76c9140d6a1c35e6983161768','127.0.0.1','da6efb6ea0b45aabe7279df712655fc7be637454e02c78e5ae63011008676fa5','c20376b5e34cd99595387ba54a9b344f401fa367986ede258df83545b4b5ea19','9ecc870426424262b2a6280f1ed559ac');
INSERT INTO "audit_event" VALUES(24,'2026-11-25 18:58:54.565874','system','','system','job.claim','jobs.job','23423ff0-4b26-4fcc-81ee-383f2e7c0f4a','Issuance of web.demo.internal','{"attempt": 1}','',NULL,'c20376b5e34cd99595387ba54a9b344f401fa367986ede258df83545b4b5ea19','85dd8b1d35f67b29d1a1ea6bdeaf52595fc7b594494539aad836fb16dde484f9','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(25,'2026-11-25 18:58:54.706135','system','','system','certificate.issue','certificates.certificate','ca42db8e-7918-4891-ab2d-34c371115f0d','web.demo.internal','{"version": 1, "version_id": "cfe8883c-757e-490c-b833-35d57749922b", "serial": "35dc4e10f2bd3e24087984f88c1146f9cfc3e936", "issuer": "demo-issuing", "fingerprint": "0dcd7e1a0429b726f7ffe365dcabe7973b553aeecb03b4cac52a088a3af3dcbe", "not_after": "2027-01-11T18:57:53+00:00", "job": "23423ff0-4b26-4fcc-81ee-383f2e7c0f4a"}','',NULL,'85dd8b1d35f67b29d1a1ea6bdeaf52595fc7b594494539aad836fb16dde484f9','5a8ec58e2c927fd585f4ac0759d6260de181d143bb65408c38dc86170ef4f504','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(26,'2026-11-25 18:58:54.724580','system','','system','job.complete','jobs.job','23423ff0-4b26-4fcc-81ee-383f2e7c0f4a','Issuance of web.demo.internal','{"before": "Running", "after": "Completed", "version": 1, "serial": "35dc4e10f2bd3e24087984f88c1146f9cfc3e936"}','',NULL,'5a8ec58e2c927fd585f4ac0759d6260de181d143bb65408c38dc86170ef4f504','7cf1faa7a54ad0a8fa9913f751d607805eef1af88536e0dfc7329789eab6383c','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(27,'2026-11-25 18:58:54.743397','alice','','system','job.follow','jobs.job','fdc71763-51d3-46da-bac8-5610d5ee1450','Deployment of web.demo.internal','{"kind": "Deployment", "status": "Pending", "after": "23423ff0-4b26-4fcc-81ee-383f2e7c0f4a", "target": "demo-web"}','',NULL,'7cf1faa7a54ad0a8fa9913f751d607805eef1af88536e0dfc7329789eab6383c','a2c1a870678f43bd8a71f946974ee4c3cc5398e7767f97d1f64baabfa694cef4','12723b5e5e8d4d14b2a29e4dd9ba350b');
INSERT INTO "audit_event" VALUES(28,'2026-11-25 18:58:54.794080','system','','system','job.claim','jobs.job','fdc71763-51d3-46da-bac8-5610d5ee1450','Deployment of web.demo.internal','{"attempt": 1}','',NULL,'a2c1a870678f43bd8a71f946974ee4c3cc5398e7767f97d1f64baabfa694cef4','88d32df434f054ee4c299186bcfb45fd9d07f7f589d55628504b84d73067b864','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(29,'2026-11-25 18:58:55.046634','system','','system','deployment.deploy','deployments.deployment','24a6b16a-d8cf-4396-9494-efb845aa18a7','web.demo.internal on demo-web','{"before": null, "after": 1, "fingerprint": "0dcd7e1a0429b726f7ffe365dcabe7973b553aeecb03b4cac52a088a3af3dcbe", "changed": true, "displaced": []}','',NULL,'88d32df434f054ee4c299186bcfb45fd9d07f7f589d55628504b84d73067b864','586d8b6111e627a707a54f293baaa92d97a0a765cac9c3f4db59ed53e14ade83','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(30,'2026-11-25 18:58:55.049253','system','','system','job.complete','jobs.job','fdc71763-51d3-46da-bac8-5610d5ee1450','Deployment of web.demo.internal','{"before": "Running", "after": "Completed", "version": 1, "changed": true}','',NULL,'586d8b6111e627a707a54f293baaa92d97a0a765cac9c3f4db59ed53e14ade83','7cda52ad522ed0c5d9cf9d5e09d18bca24dd245df06b474b94a07227d0e24710','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(31,'2026-11-25 18:58:55.067805','alice','','system','job.follow','jobs.job','1c51ec48-29e6-4051-ba2c-e270f14013e6','Validation of web.demo.internal','{"kind": "Validation", "status": "Pending", "after": "fdc71763-51d3-46da-bac8-5610d5ee1450", "target": "demo-web"}','',NULL,'7cda52ad522ed0c5d9cf9d5e09d18bca24dd245df06b474b94a07227d0e24710','0755d263c69d90ee983fb4c14289d5280bd1ba4df4e548c24bba7e61cea15e43','12723b5e5e8d4d14b2a29e4dd9ba350b');
INSERT INTO "audit_event" VALUES(32,'2026-11-25 18:58:55.092650','system','','system','job.claim','jobs.job','1c51ec48-29e6-4051-ba2c-e270f14013e6','Validation of web.demo.internal','{"attempt": 1}','',NULL,'0755d263c69d90ee983fb4c14289d5280bd1ba4df4e548c24bba7e61cea15e43','2184c105f70132e91f5e9b14853c6ba7908385b820a33cdfff529b4409bda3db','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(33,'2026-11-25 18:58:55.180445','system','','system','deployment.validate','deployments.deployment','24a6b16a-d8cf-4396-9494-efb845aa18a7','web.demo.internal on demo-web','{"before": "Unknown", "after": "Healthy", "expected": "0dcd7e1a0429b726f7ffe365dcabe7973b553aeecb03b4cac52a088a3af3dcbe", "served": "0dcd7e1a0429b726f7ffe365dcabe7973b553aeecb03b4cac52a088a3af3dcbe", "detail": ""}','',NULL,'2184c105f70132e91f5e9b14853c6ba7908385b820a33cdfff529b4409bda3db','876b30318ac36368fc2bd8e8c26bcfcae468046949f3024327bc509a7a8cafcf','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(34,'2026-11-25 18:58:55.206916','system','','system','job.complete','jobs.job','1c51ec48-29e6-4051-ba2c-e270f14013e6','Validation of web.demo.internal','{"before": "Running", "after": "Completed", "verification": "success"}','',NULL,'876b30318ac36368fc2bd8e8c26bcfcae468046949f3024327bc509a7a8cafcf','6213b933933f93c8f6913160bd882f027e9387f0bc49734729f25051e57e3bbf','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(35,'2026-11-25 18:58:55.624859','bob','bob-demo','rest','job.request','jobs.job','2d23dfce-54e4-4f95-b88c-5e7d8f8b1bf8','Renewal of web.demo.internal','{"kind": "Renewal", "status": "Pending", "certificate": "ca42db8e-7918-4891-ab2d-34c371115f0d", "target": null, "server_key": false}','90d4a0f823854d45937fe5262b2ed204','127.0.0.1','6213b933933f93c8f6913160bd882f027e9387f0bc49734729f25051e57e3bbf','255497f22dac26b8918d1cc82a6afd18327bb3b63c732ada88c7c5668faacfef','9ecc870426424262b2a6280f1ed559ac');
INSERT INTO "audit_event" VALUES(36,'2026-11-25 18:58:55.757275','system','','system','job.claim','jobs.job','2d23dfce-54e4-4f95-b88c-5e7d8f8b1bf8','Renewal of web.demo.internal','{"attempt": 1}','',NULL,'255497f22dac26b8918d1cc82a6afd18327bb3b63c732ada88c7c5668faacfef','5494935bd1306a6cf0dbf8ea40b049b425efde89ae9a125ad8f7273ee9af5205','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(37,'2026-11-25 18:58:55.828527','system','','system','certificate.issue','certificates.certificate','ca42db8e-7918-4891-ab2d-34c371115f0d','web.demo.internal','{"version": 2, "version_id": "43591a2a-3ae4-4a60-8ead-21d919ee5514", "serial": "45e20c298ba76a0243c77ef14e16e1a1de545f54", "issuer": "demo-issuing", "fingerprint": "70498c098d16b90883581243978bf36c82081c3917c06483c58bb992a75409e3", "not_after": "2027-01-11T18:57:54+00:00", "job": "2d23dfce-54e4-4f95-b88c-5e7d8f8b1bf8"}','',NULL,'5494935bd1306a6cf0dbf8ea40b049b425efde89ae9a125ad8f7273ee9af5205','7a3502091186cc32db3de751cbe3a228b0fd240ecba4522309aaab9c512bc78c','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(38,'2026-11-25 18:58:55.830278','system','','system','job.complete','jobs.job','2d23dfce-54e4-4f95-b88c-5e7d8f8b1bf8','Renewal of web.demo.internal','{"before": "Running", "after": "Completed", "version": 2, "serial": "45e20c298ba76a0243c77ef14e16e1a1de545f54"}','',NULL,'7a3502091186cc32db3de751cbe3a228b0fd240ecba4522309aaab9c512bc78c','6b489ecdbae911b59cd5e182ca1fa966e268e9bb3ca97fc2bb87acfdcdb46ba1','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(39,'2026-11-25 18:58:55.854076','bob','','system','job.follow','jobs.job','18da0c89-1bdf-4dd1-a88b-91aab5f195fb','Deployment of web.demo.internal','{"kind": "Deployment", "status": "Pending", "after": "2d23dfce-54e4-4f95-b88c-5e7d8f8b1bf8", "target": "demo-web"}','',NULL,'6b489ecdbae911b59cd5e182ca1fa966e268e9bb3ca97fc2bb87acfdcdb46ba1','e55e7262acef983b7b177f9b1c2007430f75d0b3a35610b1b35fc77865c6b722','9ecc870426424262b2a6280f1ed559ac');
INSERT INTO "audit_event" VALUES(40,'2026-11-25 18:58:55.895852','system','','system','job.claim','jobs.job','18da0c89-1bdf-4dd1-a88b-91aab5f195fb','Deployment of web.demo.internal','{"attempt": 1}','',NULL,'e55e7262acef983b7b177f9b1c2007430f75d0b3a35610b1b35fc77865c6b722','5473e3400707337329c738fee9d432a8bbc1cde9ab28181c670162e8b030b5ee','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(41,'2026-11-25 18:58:56.035236','system','','system','deployment.deploy','deployments.deployment','24a6b16a-d8cf-4396-9494-efb845aa18a7','web.demo.internal on demo-web','{"before": 1, "after": 2, "fingerprint": "70498c098d16b90883581243978bf36c82081c3917c06483c58bb992a75409e3", "changed": true, "displaced": []}','',NULL,'5473e3400707337329c738fee9d432a8bbc1cde9ab28181c670162e8b030b5ee','53c3cf892590cbfdabe95c43eafbae284ecd3673d90e47ab8a2a97578752fd3b','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(42,'2026-11-25 18:58:56.037699','system','','system','job.complete','jobs.job','18da0c89-1bdf-4dd1-a88b-91aab5f195fb','Deployment of web.demo.internal','{"before": "Running", "after": "Completed", "version": 2, "changed": true}','',NULL,'53c3cf892590cbfdabe95c43eafbae284ecd3673d90e47ab8a2a97578752fd3b','5e851bd99864670cbcd6ae9064a0fe1289e36b6f2b8461dc1b1f3915b6ce55a5','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(43,'2026-11-25 18:58:56.052613','bob','','system','job.follow','jobs.job','906cca8b-a560-4522-9cce-544f6fd0d72a','Validation of web.demo.internal','{"kind": "Validation", "status": "Pending", "after": "18da0c89-1bdf-4dd1-a88b-91aab5f195fb", "target": "demo-web"}','',NULL,'5e851bd99864670cbcd6ae9064a0fe1289e36b6f2b8461dc1b1f3915b6ce55a5','a6a362f724c0667a1e5c88f084ce2225e6590247e4c16b9f413b955ae5b58f13','9ecc870426424262b2a6280f1ed559ac');
INSERT INTO "audit_event" VALUES(44,'2026-11-25 18:58:56.071774','system','','system','job.claim','jobs.job','906cca8b-a560-4522-9cce-544f6fd0d72a','Validation of web.demo.internal','{"attempt": 1}','',NULL,'a6a362f724c0667a1e5c88f084ce2225e6590247e4c16b9f413b955ae5b58f13','314bfc1be750f4ed3bab1ef5deb24760caa091074f5144608ff9696050bfd602','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(45,'2026-11-25 18:58:56.125685','system','','system','deployment.validate','deployments.deployment','24a6b16a-d8cf-4396-9494-efb845aa18a7','web.demo.internal on demo-web','{"before": "Unknown", "after": "Healthy", "expected": "70498c098d16b90883581243978bf36c82081c3917c06483c58bb992a75409e3", "served": "70498c098d16b90883581243978bf36c82081c3917c06483c58bb992a75409e3", "detail": ""}','',NULL,'314bfc1be750f4ed3bab1ef5deb24760caa091074f5144608ff9696050bfd602','4a06c2f101ebb1f8f94230332fed6d35569b9c98fa4e28103fa29c82d1bc2989','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(46,'2026-11-25 18:58:56.142036','system','','system','job.complete','jobs.job','906cca8b-a560-4522-9cce-544f6fd0d72a','Validation of web.demo.internal','{"before": "Running", "after": "Completed", "verification": "success"}','',NULL,'4a06c2f101ebb1f8f94230332fed6d35569b9c98fa4e28103fa29c82d1bc2989','67d4db9bc07704efd70c34d6169a56a1bb2921b57ba40fd4e36bb8b77f3d3545','db8ee2e1066240c681ed6b65cba1e4b8');
INSERT INTO "audit_event" VALUES(47,'2026-11-25 18:58:56.742200','bob','bob-demo','rest','certificate.bulk_revoke.refuse','','','','{"code": "missing_permission", "status": 403, "path": "/api/v1/certificates/bulk-revoke/"}','f0ec997672d84130997d548802ddc1eb','127.0.0.1','67d4db9bc07704efd70c34d6169a56a1bb2921b57ba40fd4e36bb8b77f3d3545','28be03b487f58468e48c62dfe91e59b66eae9faf913ee6d533fe2e9bfcca4cf1','9ecc870426424262b2a6280f1ed559ac');
INSERT INTO "audit_event" VALUES(48,'2026-11-25 18:58:56.900954','carol','carol-demo','rest','certificate.bulk_revoke','','','','{"criteria": {"ids": ["ca42db8e-7918-4891-ab2d-34c371115f0d"]}, "reason": "cessationOfOperation", "note": "", "count": 2, "plan": "8e641897b4f506aa4facf8a18db2c677326d8a6f9b3c99f09a21b32c11a635fa"}','c76cae357f0644bc8b39fb3dd7e20443','127.0.0.1','28be03b487f58468e48c62dfe91e59b66eae9faf913ee6d533fe2e9bfcca4cf1','b8cc166267855ce4fbd42ecc905da4eb8e792e2bd656137b1b354e3fe60de48b','18970f5725af4f2493821a5032cab008');
INSERT INTO "audit_event" VALUES(49,'2026-11-25 18:58:56.916360','carol','carol-demo','rest','certificate.revoke','certificates.certificate','ca42db8e-7918-4891-ab2d-34c371115f0d','web.demo.internal','{"version": 1, "version_id": "cfe8883c-757e-490c-b833-35d57749922b", "serial": "35dc4e10f2bd3e24087984f88c1146f9cfc3e936", "before": null, "reason": "cessationOfOperation", "revoked_at": "2026-11-25T18:58:56+00:00", "note": ""}','c76cae357f0644bc8b39fb3dd7e20443','127.0.0.1','b8cc166267855ce4fbd42ecc905da4eb8e792e2bd656137b1b354e3fe60de48b','067003a8053ad56543c548a0066996dbb1570576db1585377e641f241306f056','18970f5725af4f2493821a5032cab008');
INSERT INTO "audit_event" VALUES(50,'2026-11-25 18:58:56.940981','carol','carol-demo','rest','certificate.revoke','certificates.certificate','ca42db8e-7918-4891-ab2d-34c371115f0d','web.demo.internal','{"version": 2, "version_id": "43591a2a-3ae4-4a60-8ead-21d919ee5514", "serial": "45e20c298ba76a0243c77ef14e16e1a1de545f54", "before": null, "reason": "cessationOfOperation", "revoked_at": "2026-11-25T18:58:56+00:00", "note": ""}','c76cae357f0644bc8b39fb3dd7e20443','127.0.0.1','067003a8053ad56543c548a0066996dbb1570576db1585377e641f241306f056','8cdc70cd16adfac2df7b3d1a0292455ee72b567722cc416349f02e0796cf0c12','18970f5725af4f2493821a5032cab008');
INSERT INTO "audit_event" VALUES(51,'2026-11-25 18:58:57.036401','system','','system','crl.publish','issuers.issuer','94bf2d62-b3d0-44ca-a947-5040e3a76e33','demo-issuing','{"number": 2, "entries": 2, "sha256": "312358285338ecf06387b36a684cc6679993f383a31546fc38eed559d3a5ca09", "next_update": "2026-12-02T18:58:57+00:00"}','',NULL,'8cdc70cd16adfac2df7b3d1a0292455ee72b567722cc416349f02e0796cf0c12','6ffec0834ae3e341d1778e60f658b2a7968358bcce390f13af245ba1413fb88b','db8ee2e1066240c681ed6b65cba1e4b8');
CREATE TABLE "auth_group" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(150) NOT NULL UNIQUE);
INSERT INTO "auth_group" VALUES(1,'viewer');
INSERT INTO "auth_group" VALUES(2,'operator');
INSERT INTO "auth_group" VALUES(3,'admin');
CREATE TABLE "auth_group_permissions" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "group_id" integer NOT NULL REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED, "permission_id" integer NOT NULL REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED);
INSERT INTO "auth_group_permissions" VALUES(1,1,37);
INSERT INTO "auth_group_permissions" VALUES(2,2,37);
INSERT INTO "auth_group_permissions" VALUES(3,3,37);
INSERT INTO "auth_group_permissions" VALUES(4,1,49);
INSERT INTO "auth_group_permissions" VALUES(6,1,45);
INSERT INTO "auth_group_permissions" VALUES(7,2,49);
INSERT INTO "auth_group_permissions" VALUES(8,2,45);
INSERT INTO "auth_group_permissions" VALUES(11,3,38);
INSERT INTO "auth_group_permissions" VALUES(12,3,39);
INSERT INTO "auth_group_permissions" VALUES(13,3,41);
INSERT INTO "auth_group_permissions" VALUES(14,3,42);
INSERT INTO "auth_group_permissions" VALUES(15,3,43);
INSERT INTO "auth_group_permissions" VALUES(16,3,44);
INSERT INTO "auth_group_permissions" VALUES(17,3,45);
INSERT INTO "auth_group_permissions" VALUES(18,3,46);
INSERT INTO "auth_group_permissions" VALUES(19,3,47);
INSERT INTO "auth_group_permissions" VALUES(20,3,48);
INSERT INTO "auth_group_permissions" VALUES(21,3,49);
INSERT INTO "auth_group_permissions" VALUES(22,3,50);
INSERT INTO "auth_group_permissions" VALUES(23,3,51);
INSERT INTO "auth_group_permissions" VALUES(24,3,53);
INSERT INTO "auth_group_permissions" VALUES(28,1,57);
INSERT INTO "auth_group_permissions" VALUES(29,1,62);
INSERT INTO "auth_group_permissions" VALUES(33,2,57);
INSERT INTO "auth_group_permissions" VALUES(34,2,62);
INSERT INTO "auth_group_permissions" VALUES(50,3,54);
INSERT INTO "auth_group_permissions" VALUES(51,3,55);
INSERT INTO "auth_group_permissions" VALUES(52,3,57);
INSERT INTO "auth_group_permissions" VALUES(53,3,58);
INSERT INTO "auth_group_permissions" VALUES(54,3,59);
INSERT INTO "auth_group_permissions" VALUES(55,3,60);
INSERT INTO "auth_group_permissions" VALUES(56,3,61);
INSERT INTO "auth_group_permissions" VALUES(57,3,62);
INSERT INTO "auth_group_permissions" VALUES(58,1,66);
INSERT INTO "auth_group_permissions" VALUES(60,1,72);
INSERT INTO "auth_group_permissions" VALUES(61,1,76);
INSERT INTO "auth_group_permissions" VALUES(63,1,80);
INSERT INTO "auth_group_permissions" VALUES(65,1,82);
INSERT INTO "auth_group_permissions" VALUES(66,1,89);
INSERT INTO "auth_group_permissions" VALUES(69,2,66);
INSERT INTO "auth_group_permissions" VALUES(71,2,72);
INSERT INTO "auth_group_permissions" VALUES(72,2,76);
INSERT INTO "auth_group_permissions" VALUES(73,2,77);
INSERT INTO "auth_group_permissions" VALUES(75,2,78);
INSERT INTO "auth_group_permissions" VALUES(76,2,80);
INSERT INTO "auth_group_permissions" VALUES(78,2,82);
INSERT INTO "auth_group_permissions" VALUES(79,2,83);
INSERT INTO "auth_group_permissions" VALUES(80,2,81);
INSERT INTO "auth_group_permissions" VALUES(81,2,89);
INSERT INTO "auth_group_permissions" VALUES(107,3,66);
INSERT INTO "auth_group_permissions" VALUES(108,3,67);
INSERT INTO "auth_group_permissions" VALUES(109,3,69);
INSERT INTO "auth_group_permissions" VALUES(110,3,70);
INSERT INTO "auth_group_permissions" VALUES(111,3,71);
INSERT INTO "auth_group_permissions" VALUES(112,3,72);
INSERT INTO "auth_group_permissions" VALUES(113,3,76);
INSERT INTO "auth_group_permissions" VALUES(114,3,77);
INSERT INTO "auth_group_permissions" VALUES(115,3,78);
INSERT INTO "auth_group_permissions" VALUES(116,3,80);
INSERT INTO "auth_group_permissions" VALUES(117,3,81);
INSERT INTO "auth_group_permissions" VALUES(118,3,82);
INSERT INTO "auth_group_permissions" VALUES(119,3,83);
INSERT INTO "auth_group_permissions" VALUES(120,3,84);
INSERT INTO "auth_group_permissions" VALUES(121,3,85);
INSERT INTO "auth_group_permissions" VALUES(122,3,89);
INSERT INTO "auth_group_permissions" VALUES(123,1,97);
INSERT INTO "auth_group_permissions" VALUES(125,1,101);
INSERT INTO "auth_group_permissions" VALUES(134,1,93);
INSERT INTO "auth_group_permissions" VALUES(137,2,97);
INSERT INTO "auth_group_permissions" VALUES(139,2,101);
INSERT INTO "auth_group_permissions" VALUES(152,2,93);
INSERT INTO "auth_group_permissions" VALUES(194,3,93);
INSERT INTO "auth_group_permissions" VALUES(195,3,97);
INSERT INTO "auth_group_permissions" VALUES(196,3,98);
INSERT INTO "auth_group_permissions" VALUES(197,3,99);
INSERT INTO "auth_group_permissions" VALUES(198,3,100);
INSERT INTO "auth_group_permissions" VALUES(199,3,101);
INSERT INTO "auth_group_permissions" VALUES(205,1,105);
INSERT INTO "auth_group_permissions" VALUES(233,2,102);
INSERT INTO "auth_group_permissions" VALUES(234,2,105);
INSERT INTO "auth_group_permissions" VALUES(235,2,106);
INSERT INTO "auth_group_permissions" VALUES(236,2,107);
INSERT INTO "auth_group_permissions" VALUES(282,3,102);
INSERT INTO "auth_group_permissions" VALUES(283,3,105);
INSERT INTO "auth_group_permissions" VALUES(284,3,106);
INSERT INTO "auth_group_permissions" VALUES(285,3,107);
CREATE TABLE "auth_permission" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "content_type_id" integer NOT NULL REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED, "codename" varchar(100) NOT NULL, "name" varchar(255) NOT NULL);
INSERT INTO "auth_permission" VALUES(1,1,'add_logentry','Can add log entry');
INSERT INTO "auth_permission" VALUES(2,1,'change_logentry','Can change log entry');
INSERT INTO "auth_permission" VALUES(3,1,'delete_logentry','Can delete log entry');
INSERT INTO "auth_permission" VALUES(4,1,'view_logentry','Can view log entry');
INSERT INTO "auth_permission" VALUES(5,2,'add_permission','Can add permission');
INSERT INTO "auth_permission" VALUES(6,2,'change_permission','Can change permission');
INSERT INTO "auth_permission" VALUES(7,2,'delete_permission','Can delete permission');
INSERT INTO "auth_permission" VALUES(8,2,'view_permission','Can view permission');
INSERT INTO "auth_permission" VALUES(9,3,'add_group','Can add group');
INSERT INTO "auth_permission" VALUES(10,3,'change_group','Can change group');
INSERT INTO "auth_permission" VALUES(11,3,'delete_group','Can delete group');
INSERT INTO "auth_permission" VALUES(12,3,'view_group','Can view group');
INSERT INTO "auth_permission" VALUES(13,4,'add_contenttype','Can add content type');
INSERT INTO "auth_permission" VALUES(14,4,'change_contenttype','Can change content type');
INSERT INTO "auth_permission" VALUES(15,4,'delete_contenttype','Can delete content type');
INSERT INTO "auth_permission" VALUES(16,4,'view_contenttype','Can view content type');
INSERT INTO "auth_permission" VALUES(17,5,'add_session','Can add session');
INSERT INTO "auth_permission" VALUES(18,5,'change_session','Can change session');
INSERT INTO "auth_permission" VALUES(19,5,'delete_session','Can delete session');
INSERT INTO "auth_permission" VALUES(20,5,'view_session','Can view session');
INSERT INTO "auth_permission" VALUES(21,6,'add_accessattempt','Can add access attempt');
INSERT INTO "auth_permission" VALUES(22,6,'change_accessattempt','Can change access attempt');
INSERT INTO "auth_permission" VALUES(23,6,'delete_accessattempt','Can delete access attempt');
INSERT INTO "auth_permission" VALUES(24,6,'view_accessattempt','Can view access attempt');
INSERT INTO "auth_permission" VALUES(25,7,'add_accesslog','Can add access log');
INSERT INTO "auth_permission" VALUES(26,7,'change_accesslog','Can change access log');
INSERT INTO "auth_permission" VALUES(27,7,'delete_accesslog','Can delete access log');
INSERT INTO "auth_permission" VALUES(28,7,'view_accesslog','Can view access log');
INSERT INTO "auth_permission" VALUES(29,8,'add_accessfailurelog','Can add access failure');
INSERT INTO "auth_permission" VALUES(30,8,'change_accessfailurelog','Can change access failure');
INSERT INTO "auth_permission" VALUES(31,8,'delete_accessfailurelog','Can delete access failure');
INSERT INTO "auth_permission" VALUES(32,8,'view_accessfailurelog','Can view access failure');
INSERT INTO "auth_permission" VALUES(33,9,'add_accessattemptexpiration','Can add access attempt expiration');
INSERT INTO "auth_permission" VALUES(34,9,'change_accessattemptexpiration','Can change access attempt expiration');
INSERT INTO "auth_permission" VALUES(35,9,'delete_accessattemptexpiration','Can delete access attempt expiration');
INSERT INTO "auth_permission" VALUES(36,9,'view_accessattemptexpiration','Can view access attempt expiration');
INSERT INTO "auth_permission" VALUES(37,10,'view_event','Can view event');
INSERT INTO "auth_permission" VALUES(38,12,'add_principal','Can add principal');
INSERT INTO "auth_permission" VALUES(39,12,'change_principal','Can change principal');
INSERT INTO "auth_permission" VALUES(40,12,'delete_principal','Can delete principal');
INSERT INTO "auth_permission" VALUES(41,12,'view_principal','Can view principal');
INSERT INTO "auth_permission" VALUES(42,13,'add_team','Can add team');
INSERT INTO "auth_permission" VALUES(43,13,'change_team','Can change team');
INSERT INTO "auth_permission" VALUES(44,13,'delete_team','Can delete team');
INSERT INTO "auth_permission" VALUES(45,13,'view_team','Can view team');
INSERT INTO "auth_permission" VALUES(46,14,'add_owner','Can add owner');
INSERT INTO "auth_permission" VALUES(47,14,'change_owner','Can change owner');
INSERT INTO "auth_permission" VALUES(48,14,'delete_owner','Can delete owner');
INSERT INTO "auth_permission" VALUES(49,14,'view_owner','Can view owner');
INSERT INTO "auth_permission" VALUES(50,15,'add_apikey','Can add API key');
INSERT INTO "auth_permission" VALUES(51,15,'change_apikey','Can change API key');
INSERT INTO "auth_permission" VALUES(52,15,'delete_apikey','Can delete API key');
INSERT INTO "auth_permission" VALUES(53,15,'view_apikey','Can view API key');
INSERT INTO "auth_permission" VALUES(54,16,'add_issuer','Can add issuer');
INSERT INTO "auth_permission" VALUES(55,16,'change_issuer','Can change issuer');
INSERT INTO "auth_permission" VALUES(56,16,'delete_issuer','Can delete issuer');
INSERT INTO "auth_permission" VALUES(57,16,'view_issuer','Can view issuer');
INSERT INTO "auth_permission" VALUES(58,16,'test_issuer','Can test the connection to an issuer');
INSERT INTO "auth_permission" VALUES(59,17,'add_profile','Can add profile');
INSERT INTO "auth_permission" VALUES(60,17,'change_profile','Can change profile');
INSERT INTO "auth_permission" VALUES(61,17,'delete_profile','Can delete profile');
INSERT INTO "auth_permission" VALUES(62,17,'view_profile','Can view profile');
INSERT INTO "auth_permission" VALUES(63,18,'add_crl','Can add CRL');
INSERT INTO "auth_permission" VALUES(64,18,'change_crl','Can change CRL');
INSERT INTO "auth_permission" VALUES(65,18,'delete_crl','Can delete CRL');
INSERT INTO "auth_permission" VALUES(66,18,'view_crl','Can view CRL');
INSERT INTO "auth_permission" VALUES(67,18,'publish_crl','Can have a CRL published now');
INSERT INTO "auth_permission" VALUES(68,19,'view_ocspresponse','Can view OCSP response');
INSERT INTO "auth_permission" VALUES(69,20,'add_renewalpolicy','Can add renewal policy');
INSERT INTO "auth_permission" VALUES(70,20,'change_renewalpolicy','Can change renewal policy');
INSERT INTO "auth_permission" VALUES(71,20,'delete_renewalpolicy','Can delete renewal policy');
INSERT INTO "auth_permission" VALUES(72,20,'view_renewalpolicy','Can view renewal policy');
INSERT INTO "auth_permission" VALUES(73,21,'add_version','Can add version');
INSERT INTO "auth_permission" VALUES(74,21,'change_version','Can change version');
INSERT INTO "auth_permission" VALUES(75,21,'delete_version','Can delete version');
INSERT INTO "auth_permission" VALUES(76,21,'view_version','Can view version');
INSERT INTO "auth_permission" VALUES(77,22,'add_certificate','Can add certificate');
INSERT INTO "auth_permission" VALUES(78,22,'change_certificate','Can change certificate');
INSERT INTO "auth_permission" VALUES(79,22,'delete_certificate','Can delete certificate');
INSERT INTO "auth_permission" VALUES(80,22,'view_certificate','Can view certificate');
INSERT INTO "auth_permission" VALUES(81,22,'import_certificate','Can import certificates');
INSERT INTO "auth_permission" VALUES(82,22,'export_certificate','Can export certificates');
INSERT INTO "auth_permission" VALUES(83,22,'revoke_certificate','Can revoke one certificate');
INSERT INTO "auth_permission" VALUES(84,22,'bulk_revoke','Can revoke many certificates at once');
INSERT INTO "auth_permission" VALUES(85,22,'archive_certificate','Can archive certificates');
INSERT INTO "auth_permission" VALUES(86,23,'add_revocation','Can add revocation');
INSERT INTO "auth_permission" VALUES(87,23,'change_revocation','Can change revocation');
INSERT INTO "auth_permission" VALUES(88,23,'delete_revocation','Can delete revocation');
INSERT INTO "auth_permission" VALUES(89,23,'view_revocation','Can view revocation');
INSERT INTO "auth_permission" VALUES(90,24,'add_agent','Can add agent');
INSERT INTO "auth_permission" VALUES(91,24,'change_agent','Can change agent');
INSERT INTO "auth_permission" VALUES(92,24,'delete_agent','Can delete agent');
INSERT INTO "auth_permission" VALUES(93,24,'view_agent','Can view agent');
INSERT INTO "auth_permission" VALUES(94,25,'add_deployment','Can add deployment');
INSERT INTO "auth_permission" VALUES(95,25,'change_deployment','Can change deployment');
INSERT INTO "auth_permission" VALUES(96,25,'delete_deployment','Can delete deployment');
INSERT INTO "auth_permission" VALUES(97,25,'view_deployment','Can view deployment');
INSERT INTO "auth_permission" VALUES(98,26,'add_target','Can add target');
INSERT INTO "auth_permission" VALUES(99,26,'change_target','Can change target');
INSERT INTO "auth_permission" VALUES(100,26,'delete_target','Can delete target');
INSERT INTO "auth_permission" VALUES(101,26,'view_target','Can view target');
INSERT INTO "auth_permission" VALUES(102,28,'add_job','Can add job');
INSERT INTO "auth_permission" VALUES(103,28,'change_job','Can change job');
INSERT INTO "auth_permission" VALUES(104,28,'delete_job','Can delete job');
INSERT INTO "auth_permission" VALUES(105,28,'view_job','Can view job');
INSERT INTO "auth_permission" VALUES(106,28,'decide_job','Can approve and reject jobs');
INSERT INTO "auth_permission" VALUES(107,28,'cancel_job','Can cancel jobs of others');
CREATE TABLE "axes_accessattempt" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "user_agent" varchar(255) NOT NULL, "ip_address" char(39) NULL, "username" varchar(255) NULL, "http_accept" varchar(1025) NOT NULL, "path_info" varchar(255) NOT NULL, "attempt_time" datetime NOT NULL, "get_data" text NOT NULL, "post_data" text NOT NULL, "failures_since_start" integer unsigned NOT NULL CHECK ("failures_since_start" >= 0));
CREATE TABLE "axes_accessattemptexpiration" ("access_attempt_id" integer NOT NULL PRIMARY KEY REFERENCES "axes_accessattempt" ("id") DEFERRABLE INITIALLY DEFERRED, "expires_at" datetime NOT NULL);
CREATE TABLE "axes_accessfailurelog" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "user_agent" varchar(255) NOT NULL, "ip_address" char(39) NULL, "username" varchar(255) NULL, "http_accept" varchar(1025) NOT NULL, "path_info" varchar(255) NOT NULL, "attempt_time" datetime NOT NULL, "locked_out" bool NOT NULL);
CREATE TABLE "axes_accesslog" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "user_agent" varchar(255) NOT NULL, "ip_address" char(39) NULL, "username" varchar(255) NULL, "http_accept" varchar(1025) NOT NULL, "path_info" varchar(255) NOT NULL, "attempt_time" datetime NOT NULL, "logout_time" datetime NULL, "session_hash" varchar(64) NOT NULL);
CREATE TABLE "certificates_certificate" ("id" char(32) NOT NULL PRIMARY KEY, "name" varchar(200) NOT NULL, "common_name" varchar(64) NOT NULL, "sans" text NOT NULL CHECK ((JSON_VALID("sans") OR "sans" IS NULL)), "environment" varchar(32) NOT NULL, "tags" text NOT NULL CHECK ((JSON_VALID("tags") OR "tags" IS NULL)), "status" varchar(20) NOT NULL, "created_at" datetime NOT NULL, "updated_at" datetime NOT NULL, "issuer_id" char(32) NOT NULL REFERENCES "issuers_issuer" ("id") DEFERRABLE INITIALLY DEFERRED, "owner_id" char(32) NOT NULL REFERENCES "owners_owner" ("id") DEFERRABLE INITIALLY DEFERRED, "profile_id" char(32) NOT NULL REFERENCES "issuers_profile" ("id") DEFERRABLE INITIALLY DEFERRED, "team_id" char(32) NULL REFERENCES "owners_team" ("id") DEFERRABLE INITIALLY DEFERRED, "renewal_policy_id" char(32) NULL REFERENCES "certificates_renewalpolicy" ("id") DEFERRABLE INITIALLY DEFERRED, "current_id" char(32) NULL UNIQUE REFERENCES "certificates_version" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "certs_status_known" CHECK ("status" IN ('Pending', 'Active', 'Expiring', 'Expired', 'RenewalInProgress', 'Failed', 'Revoked', 'Archived')));
INSERT INTO "certificates_certificate" VALUES('d5d00b66482c4493bd54b60f2793ace1','CA demo-issuing','certctl Demo Issuing CA','[]','','[]','Active','2026-11-25 18:58:33.954660','2026-11-25 18:58:33.983088','bbc78d487dc3404e9ba18e515dd62bdb','09cb7fda0e054b0482632cfef0505657','db73e1d649df4cea990e0b1790cea59a',NULL,NULL,'f64493fbe4d44f1f8f8d304069151f38');
INSERT INTO "certificates_certificate" VALUES('ca42db8e79184891ab2d34c371115f0d','web.demo.internal','web.demo.internal','["dns:web.demo.internal"]','demo','[]','Revoked','2026-11-25 18:58:51.249765','2026-11-25 18:58:56.940320','94bf2d62b3d044caa9475040e3a76e33','15c74ca6002247fc927be8349ca54af6','1d3aee0d49c541c2a5c41887535f9481',NULL,'36df0de5d26744e4abe11d5b0ec73291','43591a2a3ae44a608ead21d919ee5514');
CREATE TABLE "certificates_crl" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "number" bigint NOT NULL, "this_update" datetime NOT NULL, "next_update" datetime NOT NULL, "entries" integer unsigned NOT NULL CHECK ("entries" >= 0), "der" BLOB NOT NULL, "etag" varchar(64) NOT NULL, "issuer_id" char(32) NOT NULL REFERENCES "issuers_issuer" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "certs_crl_number_once" UNIQUE ("issuer_id", "number"));
INSERT INTO "certificates_crl" VALUES(1,1,'2026-11-25 18:58:33','2026-12-02 18:58:33',0,X'3081EE308196020101300A06082A8648CE3D040302303631153013060355040A0C0C6365727463746C2064656D6F311D301B06035504030C146365727463746C2044656D6F20526F6F74204341170D3236313132353138353833335A170D3236313230323138353833335AA02F302D301F0603551D2304183016801470871DCDAC2223F36ED309B944C6E591FD643D27300A0603551D140403020101300A06082A8648CE3D0403020347003044022020A828390E5D107AF7B616A71E975199FB05FD86D88930DD2ABA41565C2732ED0220668E04E8F0727D991AFF6897C684466AF65D0CB1EE0DAFF66862C193D9D9A919','1c744d3d3ccaf9c16b9fa8a997f459a59daefc1585a605edb809ea8cf4c60e19','bbc78d487dc3404e9ba18e515dd62bdb');
INSERT INTO "certificates_crl" VALUES(2,1,'2026-11-25 18:58:33','2026-12-02 18:58:33',0,X'3081F1308199020101300A06082A8648CE3D040302303931153013060355040A0C0C6365727463746C2064656D6F3120301E06035504030C176365727463746C2044656D6F2049737375696E67204341170D3236313132353138353833335A170D3236313230323138353833335AA02F302D301F0603551D230418301680140FAC8257177E6FFA43E1103F4C9537307E320EB3300A0603551D140403020101300A06082A8648CE3D040302034700304402205A528B3253267899607755453D04D540CF33D2388024DE7CE6E2A22D78F72D4E02203443AD86F554952E5328565D824481294515D934C716005F9661FD31E5B1A578','dcba474dacf7709bf2095b524b43e6609f99f963dea22dd06683edfc42ecb6c0','94bf2d62b3d044caa9475040e3a76e33');
INSERT INTO "certificates_crl" VALUES(3,2,'2026-11-25 18:58:57','2026-12-02 18:58:57',2,X'3082015F30820105020101300A06082A8648CE3D040302303931153013060355040A0C0C6365727463746C2064656D6F3120301E06035504030C176365727463746C2044656D6F2049737375696E67204341170D3236313132353138353835375A170D3236313230323138353835375A306A3033021435DC4E10F2BD3E24087984F88C1146F9CFC3E936170D3236313132353138353835365A300C300A0603551D1504030A01053033021445E20C298BA76A0243C77EF14E16E1A1DE545F54170D3236313132353138353835365A300C300A0603551D1504030A0105A02F302D301F0603551D230418301680140FAC8257177E6FFA43E1103F4C9537307E320EB3300A0603551D140403020102300A06082A8648CE3D0403020348003045022011C0A94FEB93D2EB828CF1A9743471BCD6D8E20D20D4CA0408C3B481BAE3F3610221009FDC7FBD050F0D8185BA4827AB996D46B15C010EA9CC0F37A26785E6A49858B9','312358285338ecf06387b36a684cc6679993f383a31546fc38eed559d3a5ca09','94bf2d62b3d044caa9475040e3a76e33');
CREATE TABLE "certificates_ocspresponse" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "serial" varchar(40) NOT NULL, "hash_algorithm" varchar(8) NOT NULL, "name_hash" varchar(128) NOT NULL, "key_hash" varchar(128) NOT NULL, "status" varchar(8) NOT NULL, "this_update" datetime NOT NULL, "next_update" datetime NOT NULL, "der" BLOB NOT NULL, "etag" varchar(64) NOT NULL, "issuer_id" char(32) NOT NULL REFERENCES "issuers_issuer" ("id") DEFERRABLE INITIALLY DEFERRED, "version_id" char(32) NOT NULL REFERENCES "certificates_version" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "certs_ocsp_answer_once" UNIQUE ("issuer_id", "serial", "hash_algorithm"));
INSERT INTO "certificates_ocspresponse" VALUES(2,'45e20c298ba76a0243c77ef14e16e1a1de545f54','sha1','0ab66a1c7eedd4f2c96ea644e2c1697e94c8882e','0fac8257177e6ffa43e1103f4c9537307e320eb3','revoked','2026-11-25 18:58:57','2026-11-26 06:58:57',X'308201320A0100A082012B3082012706092B060105050730010104820118308201143081BAA21604140FAC8257177E6FFA43E1103F4C9537307E320EB3180F32303236313132353138353835375A30818E30818B304D300906052B0E03021A050004140AB66A1C7EEDD4F2C96EA644E2C1697E94C8882E04140FAC8257177E6FFA43E1103F4C9537307E320EB3021445E20C298BA76A0243C77EF14E16E1A1DE545F54A116180F32303236313132353138353835365AA0030A0105180F32303236313132353138353835375AA011180F32303236313132363036353835375A300A06082A8648CE3D04030203490030460221008A43608E1F0718BA0617753D95E8502A97EA91D33B47636A0B721A65DBC912050221009E27859A172B62BACC39373EB1D36489EF192C05BD5AC42EE51E336475D9146D','10300701244ebb6fe900e1f1a8495ac9b8b51b10c464fa6dea2c83ae02d7d677','94bf2d62b3d044caa9475040e3a76e33','43591a2a3ae44a608ead21d919ee5514');
CREATE TABLE "certificates_renewalpolicy" ("id" char(32) NOT NULL PRIMARY KEY, "name" varchar(100) NOT NULL UNIQUE, "auto_renew" bool NOT NULL, "window" bigint NOT NULL, "reuse_key" bool NOT NULL, "max_attempts" smallint unsigned NOT NULL CHECK ("max_attempts" >= 0), "retry_delay" bigint NOT NULL, "alert_days" text NOT NULL CHECK ((JSON_VALID("alert_days") OR "alert_days" IS NULL)), "created_at" datetime NOT NULL);
INSERT INTO "certificates_renewalpolicy" VALUES('36df0de5d26744e4abe11d5b0ec73291','standard',1,1209600000000,1,3,60000000,'[30, 14, 7, 0]','2026-11-25 18:58:34.029665');
CREATE TABLE "certificates_revocation" ("version_id" char(32) NOT NULL PRIMARY KEY REFERENCES "certificates_version" ("id") DEFERRABLE INITIALLY DEFERRED, "reason" varchar(24) NOT NULL, "revoked_at" datetime NOT NULL, "recorded_at" datetime NOT NULL, "note" text NOT NULL, "listed_in" bigint NULL, "final_crl" bigint NULL, "revoked_by_id" char(32) NOT NULL REFERENCES "owners_principal" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "certs_reason_known" CHECK ("reason" IN ('unspecified', 'keyCompromise', 'cACompromise', 'affiliationChanged', 'superseded', 'cessationOfOperation', 'certificateHold', 'privilegeWithdrawn')));
INSERT INTO "certificates_revocation" VALUES('cfe8883c757e490cb83335d57749922b','cessationOfOperation','2026-11-25 18:58:56','2026-11-25 18:58:56.914236','',2,NULL,'18970f5725af4f2493821a5032cab008');
INSERT INTO "certificates_revocation" VALUES('43591a2a3ae44a608ead21d919ee5514','cessationOfOperation','2026-11-25 18:58:56','2026-11-25 18:58:56.917929','',2,NULL,'18970f5725af4f2493821a5032cab008');
CREATE TABLE "certificates_version" ("id" char(32) NOT NULL PRIMARY KEY, "number" integer unsigned NOT NULL CHECK ("number" >= 0), "serial" varchar(40) NOT NULL, "subject" varchar(500) NOT NULL, "sans" text NOT NULL CHECK ((JSON_VALID("sans") OR "sans" IS NULL)), "not_before" datetime NOT NULL, "not_after" datetime NOT NULL, "fingerprint" varchar(64) NOT NULL UNIQUE, "key_fingerprint" varchar(64) NOT NULL, "key_algorithm" varchar(16) NOT NULL, "key_size" integer unsigned NULL CHECK ("key_size" >= 0), "pem" text NOT NULL, "chain_pem" text NOT NULL, "csr_pem" text NOT NULL, "encrypted_key" BLOB NULL, "short_lived" bool NOT NULL, "job_id" char(32) NULL UNIQUE, "superseded_at" datetime NULL, "created_at" datetime NOT NULL, "certificate_id" char(32) NOT NULL REFERENCES "certificates_certificate" ("id") DEFERRABLE INITIALLY DEFERRED, "issuer_id" char(32) NULL REFERENCES "issuers_issuer" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "certs_serial_once" UNIQUE ("issuer_id", "serial"), CONSTRAINT "certs_number_once" UNIQUE ("certificate_id", "number"));
INSERT INTO "certificates_version" VALUES('f64493fbe4d44f1f8f8d304069151f38',1,'347ef3b5111d25852e5122270fd4d2afc0e3fc4d','CN=certctl Demo Issuing CA,O=certctl demo','[]','2026-11-25 18:57:33','2031-11-24 18:57:32','4a3c1d121ced97cb29d4bda67f40f48c30df074145fc8dea2e76c2a9ffb5f576','14ede0a19b655f35ae02c2e1756e523055b191a616af486739ea5838bc05816d','ecdsa-p256',256,'-----BEGIN CERTIFICATE-----
MIICozCCAkigAwIBAgIUNH7ztREdJYUuUSInD9TSr8Dj/E0wCgYIKoZIzj0EAwIw
NjEVMBMGA1UECgwMY2VydGN0bCBkZW1vMR0wGwYDVQQDDBRjZXJ0Y3RsIERlbW8g
Um9vdCBDQTAeFw0yNjExMjUxODU3MzNaFw0zMTExMjQxODU3MzJaMDkxFTATBgNV
BAoMDGNlcnRjdGwgZGVtbzEgMB4GA1UEAwwXY2VydGN0bCBEZW1vIElzc3Vpbmcg
Q0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASOPLaUZk1SRq23TwU2Kon6vc7E
eXUHr1c0vUONgL1fgNFl2S1bhDHr5CdM/TZw3eNdMmVc2xYH1VByKN/5W+xto4IB
LzCCASswEgYDVR0TAQH/BAgwBgEB/wIBADAOBgNVHQ8BAf8EBAMCAYYwHQYDVR0O
BBYEFA+sglcXfm/6Q+EQP0yVNzB+Mg6zMB8GA1UdIwQYMBaAFHCHHc2sIiPzbtMJ
uUTG5ZH9ZD0nMD4GA1UdHwQ3MDUwM6AxoC+GLWh0dHA6Ly9wa2kudGVzdC8ud2Vs
bC1rbm93bi9wa2kvY3JsL2RlbW8tcm9vdDCBhAYIKwYBBQUHAQEEeDB2MDoGCCsG
AQUFBzABhi5odHRwOi8vcGtpLnRlc3QvLndlbGwta25vd24vcGtpL29jc3AvZGVt
by1yb290MDgGCCsGAQUFBzAChixodHRwOi8vcGtpLnRlc3QvLndlbGwta25vd24v
cGtpL2NhL2RlbW8tcm9vdDAKBggqhkjOPQQDAgNJADBGAiEAl8kJe7EZjgfVl+Xw
3Mxg86VcxjbHWRsAtRWNTqFguDECIQCokO4oJdeo7WMviI5P4RXvD3OPqhNkOTYj
zmkHNriDxg==
-----END CERTIFICATE-----
','-----BEGIN CERTIFICATE-----
MIIBsDCCAVagAwIBAgIUd7+toZJxd4EShQnG5S+5CjABJq4wCgYIKoZIzj0EAwIw
NjEVMBMGA1UECgwMY2VydGN0bCBkZW1vMR0wGwYDVQQDDBRjZXJ0Y3RsIERlbW8g
Um9vdCBDQTAeFw0yNjExMjUxODU3MzNaFw0zNjExMjIxODU3MzJaMDYxFTATBgNV
BAoMDGNlcnRjdGwgZGVtbzEdMBsGA1UEAwwUY2VydGN0bCBEZW1vIFJvb3QgQ0Ew
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATBD0nSZwEfo1X1vv30dluC3R0L7RFq
/ez9Gpsfohw5fxXdo93bH3jayJ6YhjTZUicIbARL3AkR0RHR7GAFzHHEo0IwQDAP
BgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIBhjAdBgNVHQ4EFgQUcIcdzawi
I/Nu0wm5RMblkf1kPScwCgYIKoZIzj0EAwIDSAAwRQIhAL5a8yo40qP0xH1aEGsr
DHMdu9dAvPv+0HnQ+zjLa0yOAiARd+z4tissK8KEZsBtkaRFffXkJHCnXktI+HoH
tb6nAA==
-----END CERTIFICATE-----
','',NULL,0,NULL,NULL,'2026-11-25 18:58:33.957619','d5d00b66482c4493bd54b60f2793ace1','bbc78d487dc3404e9ba18e515dd62bdb');
INSERT INTO "certificates_version" VALUES('cfe8883c757e490cb83335d57749922b',1,'35dc4e10f2bd3e24087984f88c1146f9cfc3e936','CN=web.demo.internal','["dns:web.demo.internal"]','2026-11-25 18:57:54','2027-01-11 18:57:53','0dcd7e1a0429b726f7ffe365dcabe7973b553aeecb03b4cac52a088a3af3dcbe','343be6a54bcf491cba163381c81b31e4d126470e967bd1e181fd7dff7541dd0c','ecdsa-p256',256,'-----BEGIN CERTIFICATE-----
MIICvzCCAmSgAwIBAgIUNdxOEPK9PiQIeYT4jBFG+c/D6TYwCgYIKoZIzj0EAwIw
OTEVMBMGA1UECgwMY2VydGN0bCBkZW1vMSAwHgYDVQQDDBdjZXJ0Y3RsIERlbW8g
SXNzdWluZyBDQTAeFw0yNjExMjUxODU3NTRaFw0yNzAxMTExODU3NTNaMBwxGjAY
BgNVBAMMEXdlYi5kZW1vLmludGVybmFsMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
QgAEfBjjIgYfqK50mSWEXV5KB1WgEBW6Aw37w8jAlsEFhkKeo9lMzS4VkkDxSNlM
kz4WV+qwB/cdQpBJHTSsD0lwl6OCAWUwggFhMB8GA1UdIwQYMBaAFA+sglcXfm/6
Q+EQP0yVNzB+Mg6zMB0GA1UdDgQWBBQQ3aDKEMHhq2lE132RxuFHmVgnwDAMBgNV
HRMBAf8EAjAAMA4GA1UdDwEB/wQEAwIHgDATBgNVHSUEDDAKBggrBgEFBQcDATAc
BgNVHREEFTATghF3ZWIuZGVtby5pbnRlcm5hbDBBBgNVHR8EOjA4MDagNKAyhjBo
dHRwOi8vcGtpLnRlc3QvLndlbGwta25vd24vcGtpL2NybC9kZW1vLWlzc3Vpbmcw
gYoGCCsGAQUFBwEBBH4wfDA9BggrBgEFBQcwAYYxaHR0cDovL3BraS50ZXN0Ly53
ZWxsLWtub3duL3BraS9vY3NwL2RlbW8taXNzdWluZzA7BggrBgEFBQcwAoYvaHR0
cDovL3BraS50ZXN0Ly53ZWxsLWtub3duL3BraS9jYS9kZW1vLWlzc3VpbmcwCgYI
KoZIzj0EAwIDSQAwRgIhAP8dTAwUkoTadVcuYf8COL7walIFMwxf6ZQUrSd8g+zX
AiEAk57kNjX9zyL9bwGnkzTV38GmNjcLVl4Hpg1LzlW6JF8=
-----END CERTIFICATE-----
','-----BEGIN CERTIFICATE-----
MIICozCCAkigAwIBAgIUNH7ztREdJYUuUSInD9TSr8Dj/E0wCgYIKoZIzj0EAwIw
NjEVMBMGA1UECgwMY2VydGN0bCBkZW1vMR0wGwYDVQQDDBRjZXJ0Y3RsIERlbW8g
Um9vdCBDQTAeFw0yNjExMjUxODU3MzNaFw0zMTExMjQxODU3MzJaMDkxFTATBgNV
BAoMDGNlcnRjdGwgZGVtbzEgMB4GA1UEAwwXY2VydGN0bCBEZW1vIElzc3Vpbmcg
Q0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASOPLaUZk1SRq23TwU2Kon6vc7E
eXUHr1c0vUONgL1fgNFl2S1bhDHr5CdM/TZw3eNdMmVc2xYH1VByKN/5W+xto4IB
LzCCASswEgYDVR0TAQH/BAgwBgEB/wIBADAOBgNVHQ8BAf8EBAMCAYYwHQYDVR0O
BBYEFA+sglcXfm/6Q+EQP0yVNzB+Mg6zMB8GA1UdIwQYMBaAFHCHHc2sIiPzbtMJ
uUTG5ZH9ZD0nMD4GA1UdHwQ3MDUwM6AxoC+GLWh0dHA6Ly9wa2kudGVzdC8ud2Vs
bC1rbm93bi9wa2kvY3JsL2RlbW8tcm9vdDCBhAYIKwYBBQUHAQEEeDB2MDoGCCsG
AQUFBzABhi5odHRwOi8vcGtpLnRlc3QvLndlbGwta25vd24vcGtpL29jc3AvZGVt
by1yb290MDgGCCsGAQUFBzAChixodHRwOi8vcGtpLnRlc3QvLndlbGwta25vd24v
cGtpL2NhL2RlbW8tcm9vdDAKBggqhkjOPQQDAgNJADBGAiEAl8kJe7EZjgfVl+Xw
3Mxg86VcxjbHWRsAtRWNTqFguDECIQCokO4oJdeo7WMviI5P4RXvD3OPqhNkOTYj
zmkHNriDxg==
-----END CERTIFICATE-----
-----BEGIN CERTIFICATE-----
MIIBsDCCAVagAwIBAgIUd7+toZJxd4EShQnG5S+5CjABJq4wCgYIKoZIzj0EAwIw
NjEVMBMGA1UECgwMY2VydGN0bCBkZW1vMR0wGwYDVQQDDBRjZXJ0Y3RsIERlbW8g
Um9vdCBDQTAeFw0yNjExMjUxODU3MzNaFw0zNjExMjIxODU3MzJaMDYxFTATBgNV
BAoMDGNlcnRjdGwgZGVtbzEdMBsGA1UEAwwUY2VydGN0bCBEZW1vIFJvb3QgQ0Ew
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATBD0nSZwEfo1X1vv30dluC3R0L7RFq
/ez9Gpsfohw5fxXdo93bH3jayJ6YhjTZUicIbARL3AkR0RHR7GAFzHHEo0IwQDAP
BgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIBhjAdBgNVHQ4EFgQUcIcdzawi
I/Nu0wm5RMblkf1kPScwCgYIKoZIzj0EAwIDSAAwRQIhAL5a8yo40qP0xH1aEGsr
DHMdu9dAvPv+0HnQ+zjLa0yOAiARd+z4tissK8KEZsBtkaRFffXkJHCnXktI+HoH
tb6nAA==
-----END CERTIFICATE-----
','-----BEGIN CERTIFICATE REQUEST-----
MIIBBzCBrQIBADAcMRowGAYDVQQDDBF3ZWIuZGVtby5pbnRlcm5hbDBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABHwY4yIGH6iudJklhF1eSgdVoBAVugMN+8PIwJbB
BYZCnqPZTM0uFZJA8UjZTJM+FlfqsAf3HUKQSR00rA9JcJegLzAtBgkqhkiG9w0B
CQ4xIDAeMBwGA1UdEQQVMBOCEXdlYi5kZW1vLmludGVybmFsMAoGCCqGSM49BAMC
A0kAMEYCIQC4nWb1jK5Y+nAPuwYz4pEVS0P1TBJZuYGy5fAaHKBTDwIhAK7d4EMG
efh3seKYpxzWJwMHFWy3M/w/6H0OAK5QKCAC
-----END CERTIFICATE REQUEST-----',NULL,0,'23423ff04b264fcc81ee383f2e7c0f4a','2026-11-25 18:58:55.804455','2026-11-25 18:58:54.703719','ca42db8e79184891ab2d34c371115f0d','94bf2d62b3d044caa9475040e3a76e33');
INSERT INTO "certificates_version" VALUES('43591a2a3ae44a608ead21d919ee5514',2,'45e20c298ba76a0243c77ef14e16e1a1de545f54','CN=web.demo.internal','["dns:web.demo.internal"]','2026-11-25 18:57:55','2027-01-11 18:57:54','70498c098d16b90883581243978bf36c82081c3917c06483c58bb992a75409e3','343be6a54bcf491cba163381c81b31e4d126470e967bd1e181fd7dff7541dd0c','ecdsa-p256',256,'-----BEGIN CERTIFICATE-----
MIICvjCCAmSgAwIBAgIUReIMKYunagJDx37xThbhod5UX1QwCgYIKoZIzj0EAwIw
OTEVMBMGA1UECgwMY2VydGN0bCBkZW1vMSAwHgYDVQQDDBdjZXJ0Y3RsIERlbW8g
SXNzdWluZyBDQTAeFw0yNjExMjUxODU3NTVaFw0yNzAxMTExODU3NTRaMBwxGjAY
BgNVBAMMEXdlYi5kZW1vLmludGVybmFsMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
QgAEfBjjIgYfqK50mSWEXV5KB1WgEBW6Aw37w8jAlsEFhkKeo9lMzS4VkkDxSNlM
kz4WV+qwB/cdQpBJHTSsD0lwl6OCAWUwggFhMB8GA1UdIwQYMBaAFA+sglcXfm/6
Q+EQP0yVNzB+Mg6zMB0GA1UdDgQWBBQQ3aDKEMHhq2lE132RxuFHmVgnwDAMBgNV
HRMBAf8EAjAAMA4GA1UdDwEB/wQEAwIHgDATBgNVHSUEDDAKBggrBgEFBQcDATAc
BgNVHREEFTATghF3ZWIuZGVtby5pbnRlcm5hbDBBBgNVHR8EOjA4MDagNKAyhjBo
dHRwOi8vcGtpLnRlc3QvLndlbGwta25vd24vcGtpL2NybC9kZW1vLWlzc3Vpbmcw
gYoGCCsGAQUFBwEBBH4wfDA9BggrBgEFBQcwAYYxaHR0cDovL3BraS50ZXN0Ly53
ZWxsLWtub3duL3BraS9vY3NwL2RlbW8taXNzdWluZzA7BggrBgEFBQcwAoYvaHR0
cDovL3BraS50ZXN0Ly53ZWxsLWtub3duL3BraS9jYS9kZW1vLWlzc3VpbmcwCgYI
KoZIzj0EAwIDSAAwRQIgdfxNGqeFneXnwHYI1Ad04n24OnSR4CNhAq1wbb1X7PIC
IQC3mvo41L0IOD4MH+c1oK84N+wGhBD/zv5EJGtsE40bZw==
-----END CERTIFICATE-----
','-----BEGIN CERTIFICATE-----
MIICozCCAkigAwIBAgIUNH7ztREdJYUuUSInD9TSr8Dj/E0wCgYIKoZIzj0EAwIw
NjEVMBMGA1UECgwMY2VydGN0bCBkZW1vMR0wGwYDVQQDDBRjZXJ0Y3RsIERlbW8g
Um9vdCBDQTAeFw0yNjExMjUxODU3MzNaFw0zMTExMjQxODU3MzJaMDkxFTATBgNV
BAoMDGNlcnRjdGwgZGVtbzEgMB4GA1UEAwwXY2VydGN0bCBEZW1vIElzc3Vpbmcg
Q0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASOPLaUZk1SRq23TwU2Kon6vc7E
eXUHr1c0vUONgL1fgNFl2S1bhDHr5CdM/TZw3eNdMmVc2xYH1VByKN/5W+xto4IB
LzCCASswEgYDVR0TAQH/BAgwBgEB/wIBADAOBgNVHQ8BAf8EBAMCAYYwHQYDVR0O
BBYEFA+sglcXfm/6Q+EQP0yVNzB+Mg6zMB8GA1UdIwQYMBaAFHCHHc2sIiPzbtMJ
uUTG5ZH9ZD0nMD4GA1UdHwQ3MDUwM6AxoC+GLWh0dHA6Ly9wa2kudGVzdC8ud2Vs
bC1rbm93bi9wa2kvY3JsL2RlbW8tcm9vdDCBhAYIKwYBBQUHAQEEeDB2MDoGCCsG
AQUFBzABhi5odHRwOi8vcGtpLnRlc3QvLndlbGwta25vd24vcGtpL29jc3AvZGVt
by1yb290MDgGCCsGAQUFBzAChixodHRwOi8vcGtpLnRlc3QvLndlbGwta25vd24v
cGtpL2NhL2RlbW8tcm9vdDAKBggqhkjOPQQDAgNJADBGAiEAl8kJe7EZjgfVl+Xw
3Mxg86VcxjbHWRsAtRWNTqFguDECIQCokO4oJdeo7WMviI5P4RXvD3OPqhNkOTYj
zmkHNriDxg==
-----END CERTIFICATE-----
-----BEGIN CERTIFICATE-----
MIIBsDCCAVagAwIBAgIUd7+toZJxd4EShQnG5S+5CjABJq4wCgYIKoZIzj0EAwIw
NjEVMBMGA1UECgwMY2VydGN0bCBkZW1vMR0wGwYDVQQDDBRjZXJ0Y3RsIERlbW8g
Um9vdCBDQTAeFw0yNjExMjUxODU3MzNaFw0zNjExMjIxODU3MzJaMDYxFTATBgNV
BAoMDGNlcnRjdGwgZGVtbzEdMBsGA1UEAwwUY2VydGN0bCBEZW1vIFJvb3QgQ0Ew
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATBD0nSZwEfo1X1vv30dluC3R0L7RFq
/ez9Gpsfohw5fxXdo93bH3jayJ6YhjTZUicIbARL3AkR0RHR7GAFzHHEo0IwQDAP
BgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIBhjAdBgNVHQ4EFgQUcIcdzawi
I/Nu0wm5RMblkf1kPScwCgYIKoZIzj0EAwIDSAAwRQIhAL5a8yo40qP0xH1aEGsr
DHMdu9dAvPv+0HnQ+zjLa0yOAiARd+z4tissK8KEZsBtkaRFffXkJHCnXktI+HoH
tb6nAA==
-----END CERTIFICATE-----
','-----BEGIN CERTIFICATE REQUEST-----
MIIBBzCBrQIBADAcMRowGAYDVQQDDBF3ZWIuZGVtby5pbnRlcm5hbDBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABHwY4yIGH6iudJklhF1eSgdVoBAVugMN+8PIwJbB
BYZCnqPZTM0uFZJA8UjZTJM+FlfqsAf3HUKQSR00rA9JcJegLzAtBgkqhkiG9w0B
CQ4xIDAeMBwGA1UdEQQVMBOCEXdlYi5kZW1vLmludGVybmFsMAoGCCqGSM49BAMC
A0kAMEYCIQC4nWb1jK5Y+nAPuwYz4pEVS0P1TBJZuYGy5fAaHKBTDwIhAK7d4EMG
efh3seKYpxzWJwMHFWy3M/w/6H0OAK5QKCAC
-----END CERTIFICATE REQUEST-----',NULL,0,'2d23dfce54e44f95b88c5e7d8f8b1bf8',NULL,'2026-11-25 18:58:55.805518','ca42db8e79184891ab2d34c371115f0d','94bf2d62b3d044caa9475040e3a76e33');
CREATE TABLE "deployments_agent" ("id" char(32) NOT NULL PRIMARY KEY, "name" varchar(150) NOT NULL UNIQUE, "enabled" bool NOT NULL, "last_seen_at" datetime NULL, "created_at" datetime NOT NULL, "principal_id" char(32) NULL UNIQUE REFERENCES "owners_principal" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "deployments_deployment" ("id" char(32) NOT NULL PRIMARY KEY, "deployed_at" datetime NULL, "health" varchar(8) NOT NULL, "served_fingerprint" varchar(64) NOT NULL, "checked_at" datetime NULL, "created_at" datetime NOT NULL, "certificate_id" char(32) NOT NULL REFERENCES "certificates_certificate" ("id") DEFERRABLE INITIALLY DEFERRED, "version_id" char(32) NULL REFERENCES "certificates_version" ("id") DEFERRABLE INITIALLY DEFERRED, "target_id" char(32) NOT NULL REFERENCES "deployments_target" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "deployments_one_per_target" UNIQUE ("certificate_id", "target_id"));
INSERT INTO "deployments_deployment" VALUES('24a6b16ad8cf43969494efb845aa18a7','2026-11-25 18:58:56.014056','Healthy','70498c098d16b90883581243978bf36c82081c3917c06483c58bb992a75409e3','2026-11-25 18:58:56.125125','2026-11-25 18:58:51.281681','ca42db8e79184891ab2d34c371115f0d','43591a2a3ae44a608ead21d919ee5514','bf39c9d6c965496da6ab17cfa9ab5b10');
CREATE TABLE "deployments_target" ("id" char(32) NOT NULL PRIMARY KEY, "name" varchar(150) NOT NULL UNIQUE, "kind" varchar(16) NOT NULL, "enabled" bool NOT NULL, "config" text NOT NULL CHECK ((JSON_VALID("config") OR "config" IS NULL)), "secrets" BLOB NULL, "endpoint_host" varchar(255) NOT NULL, "endpoint_port" integer unsigned NULL CHECK ("endpoint_port" >= 0), "server_name" varchar(255) NOT NULL, "created_at" datetime NOT NULL, "agent_id" char(32) NULL REFERENCES "deployments_agent" ("id") DEFERRABLE INITIALLY DEFERRED);
INSERT INTO "deployments_target" VALUES('bf39c9d6c965496da6ab17cfa9ab5b10','demo-web','file',1,'{"certificate_path": "/srv/certctl/demo/site/fullchain.pem", "key_path": "/srv/certctl/demo/site/key.pem", "fullchain": true}',NULL,'127.0.0.1',43819,'','2026-11-25 18:58:34.053278',NULL);
CREATE TABLE "django_admin_log" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "object_id" text NULL, "object_repr" varchar(200) NOT NULL, "action_flag" smallint unsigned NOT NULL CHECK ("action_flag" >= 0), "change_message" text NOT NULL, "content_type_id" integer NULL REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED, "user_id" char(32) NOT NULL REFERENCES "owners_principal" ("id") DEFERRABLE INITIALLY DEFERRED, "action_time" datetime NOT NULL);
CREATE TABLE "django_content_type" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app_label" varchar(100) NOT NULL, "model" varchar(100) NOT NULL);
INSERT INTO "django_content_type" VALUES(1,'admin','logentry');
INSERT INTO "django_content_type" VALUES(2,'auth','permission');
INSERT INTO "django_content_type" VALUES(3,'auth','group');
INSERT INTO "django_content_type" VALUES(4,'contenttypes','contenttype');
INSERT INTO "django_content_type" VALUES(5,'sessions','session');
INSERT INTO "django_content_type" VALUES(6,'axes','accessattempt');
INSERT INTO "django_content_type" VALUES(7,'axes','accesslog');
INSERT INTO "django_content_type" VALUES(8,'axes','accessfailurelog');
INSERT INTO "django_content_type" VALUES(9,'axes','accessattemptexpiration');
INSERT INTO "django_content_type" VALUES(10,'audit','event');
INSERT INTO "django_content_type" VALUES(11,'audit','chainhead');
INSERT INTO "django_content_type" VALUES(12,'owners','principal');
INSERT INTO "django_content_type" VALUES(13,'owners','team');
INSERT INTO "django_content_type" VALUES(14,'owners','owner');
INSERT INTO "django_content_type" VALUES(15,'owners','apikey');
INSERT INTO "django_content_type" VALUES(16,'issuers','issuer');
INSERT INTO "django_content_type" VALUES(17,'issuers','profile');
INSERT INTO "django_content_type" VALUES(18,'certificates','crl');
INSERT INTO "django_content_type" VALUES(19,'certificates','ocspresponse');
INSERT INTO "django_content_type" VALUES(20,'certificates','renewalpolicy');
INSERT INTO "django_content_type" VALUES(21,'certificates','version');
INSERT INTO "django_content_type" VALUES(22,'certificates','certificate');
INSERT INTO "django_content_type" VALUES(23,'certificates','revocation');
INSERT INTO "django_content_type" VALUES(24,'deployments','agent');
INSERT INTO "django_content_type" VALUES(25,'deployments','deployment');
INSERT INTO "django_content_type" VALUES(26,'deployments','target');
INSERT INTO "django_content_type" VALUES(27,'jobs','idempotencyrecord');
INSERT INTO "django_content_type" VALUES(28,'jobs','job');
CREATE TABLE "django_migrations" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app" varchar(255) NOT NULL, "name" varchar(255) NOT NULL, "applied" datetime NOT NULL);
INSERT INTO "django_migrations" VALUES(1,'contenttypes','0001_initial','2026-11-25 18:58:18.315791');
INSERT INTO "django_migrations" VALUES(2,'contenttypes','0002_remove_content_type_name','2026-11-25 18:58:18.344520');
INSERT INTO "django_migrations" VALUES(3,'auth','0001_initial','2026-11-25 18:58:18.424936');
INSERT INTO "django_migrations" VALUES(4,'auth','0002_alter_permission_name_max_length','2026-11-25 18:58:18.463445');
INSERT INTO "django_migrations" VALUES(5,'auth','0003_alter_user_email_max_length','2026-11-25 18:58:18.466372');
INSERT INTO "django_migrations" VALUES(6,'auth','0004_alter_user_username_opts','2026-11-25 18:58:18.490292');
INSERT INTO "django_migrations" VALUES(7,'auth','0005_alter_user_last_login_null','2026-11-25 18:58:18.518127');
INSERT INTO "django_migrations" VALUES(8,'auth','0006_require_contenttypes_0002','2026-11-25 18:58:18.548516');
INSERT INTO "django_migrations" VALUES(9,'auth','0007_alter_validators_add_error_messages','2026-11-25 18:58:18.565113');
INSERT INTO "django_migrations" VALUES(10,'auth','0008_alter_user_username_max_length','2026-11-25 18:58:18.592702');
INSERT INTO "django_migrations" VALUES(11,'auth','0009_alter_user_last_name_max_length','2026-11-25 18:58:18.624822');
INSERT INTO "django_migrations" VALUES(12,'auth','0010_alter_group_name_max_length','2026-11-25 18:58:18.656964');
INSERT INTO "django_migrations" VALUES(13,'auth','0011_update_proxy_permissions','2026-11-25 18:58:18.691396');
INSERT INTO "django_migrations" VALUES(14,'auth','0012_alter_user_first_name_max_length','2026-11-25 18:58:18.694322');
INSERT INTO "django_migrations" VALUES(15,'owners','0001_initial','2026-11-25 18:58:18.915717');
INSERT INTO "django_migrations" VALUES(16,'admin','0001_initial','2026-11-25 18:58:18.985710');
INSERT INTO "django_migrations" VALUES(17,'admin','0002_logentry_remove_auto_add','2026-11-25 18:58:19.061460');
INSERT INTO "django_migrations" VALUES(18,'admin','0003_logentry_add_action_flag_choices','2026-11-25 18:58:19.133822');
INSERT INTO "django_migrations" VALUES(19,'audit','0001_initial','2026-11-25 18:58:19.175765');
INSERT INTO "django_migrations" VALUES(20,'audit','0002_initial','2026-11-25 18:58:19.379284');
INSERT INTO "django_migrations" VALUES(21,'audit','0003_append_only','2026-11-25 18:58:19.438323');
INSERT INTO "django_migrations" VALUES(22,'axes','0001_initial','2026-11-25 18:58:19.461504');
INSERT INTO "django_migrations" VALUES(23,'axes','0002_auto_20151217_2044','2026-11-25 18:58:19.738033');
INSERT INTO "django_migrations" VALUES(24,'axes','0003_auto_20160322_0929','2026-11-25 18:58:19.831982');
INSERT INTO "django_migrations" VALUES(25,'axes','0004_auto_20181024_1538','2026-11-25 18:58:19.899894');
INSERT INTO "django_migrations" VALUES(26,'axes','0005_remove_accessattempt_trusted','2026-11-25 18:58:19.931377');
INSERT INTO "django_migrations" VALUES(27,'axes','0006_remove_accesslog_trusted','2026-11-25 18:58:19.971187');
INSERT INTO "django_migrations" VALUES(28,'axes','0007_alter_accessattempt_unique_together','2026-11-25 18:58:20.080248');
INSERT INTO "django_migrations" VALUES(29,'axes','0008_accessfailurelog','2026-11-25 18:58:20.107574');
INSERT INTO "django_migrations" VALUES(30,'axes','0009_add_session_hash','2026-11-25 18:58:20.140572');
INSERT INTO "django_migrations" VALUES(31,'axes','0010_accessattemptexpiration','2026-11-25 18:58:20.181902');
INSERT INTO "django_migrations" VALUES(32,'issuers','0001_initial','2026-11-25 18:58:20.330060');
INSERT INTO "django_migrations" VALUES(33,'certificates','0001_initial','2026-11-25 18:58:20.421848');
INSERT INTO "django_migrations" VALUES(34,'certificates','0002_initial','2026-11-25 18:58:23.169421');
INSERT INTO "django_migrations" VALUES(35,'deployments','0001_initial','2026-11-25 18:58:23.190256');
INSERT INTO "django_migrations" VALUES(36,'deployments','0002_initial','2026-11-25 18:58:23.954220');
INSERT INTO "django_migrations" VALUES(37,'jobs','0001_initial','2026-11-25 18:58:24.003267');
INSERT INTO "django_migrations" VALUES(38,'jobs','0002_initial','2026-11-25 18:58:27.177242');
INSERT INTO "django_migrations" VALUES(39,'jobs','0003_csr_by','2026-11-25 18:58:27.330990');
INSERT INTO "django_migrations" VALUES(40,'sessions','0001_initial','2026-11-25 18:58:27.347238');
CREATE TABLE "django_session" ("session_key" varchar(40) NOT NULL PRIMARY KEY, "session_data" text NOT NULL, "expire_date" datetime NOT NULL);
CREATE TABLE "issuers_issuer" ("id" char(32) NOT NULL PRIMARY KEY, "slug" varchar(64) NOT NULL UNIQUE, "name" varchar(150) NOT NULL, "kind" varchar(16) NOT NULL, "enabled" bool NOT NULL, "config" text NOT NULL CHECK ((JSON_VALID("config") OR "config" IS NULL)), "secrets" BLOB NULL, "certificate_pem" text NOT NULL, "chain_pem" text NOT NULL, "crl_number" bigint NOT NULL, "created_at" datetime NOT NULL, "parent_id" char(32) NULL REFERENCES "issuers_issuer" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "issuers_crl_number_positive" CHECK ("crl_number" >= 0));
INSERT INTO "issuers_issuer" VALUES('bbc78d487dc3404e9ba18e515dd62bdb','demo-root','Demo root','local',1,'{}',X'01BD812E6797DB92B55273CA8637AA06D19D34FEA05034E2D73E16725367B82173E56540F1EA0B6C49DED1332CFAD894DFF57A5A0DCBB63A649F095917B15B474F9DD77E18E0CFFAE945DEAD7830153AE607CAD6F96DA796EBF578A85AA6BBCA75BA0375392F05B357248F1524D344DF4E58DA2641B1F7CC20354FA46FD5030D3F92C6FC9FFD636111244B5F38682FB72BE297C6A171196758A1D07EA51ED4120B1AEA23543975B5E7E85F','-----BEGIN CERTIFICATE-----
MIIBsDCCAVagAwIBAgIUd7+toZJxd4EShQnG5S+5CjABJq4wCgYIKoZIzj0EAwIw
NjEVMBMGA1UECgwMY2VydGN0bCBkZW1vMR0wGwYDVQQDDBRjZXJ0Y3RsIERlbW8g
Um9vdCBDQTAeFw0yNjExMjUxODU3MzNaFw0zNjExMjIxODU3MzJaMDYxFTATBgNV
BAoMDGNlcnRjdGwgZGVtbzEdMBsGA1UEAwwUY2VydGN0bCBEZW1vIFJvb3QgQ0Ew
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATBD0nSZwEfo1X1vv30dluC3R0L7RFq
/ez9Gpsfohw5fxXdo93bH3jayJ6YhjTZUicIbARL3AkR0RHR7GAFzHHEo0IwQDAP
BgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIBhjAdBgNVHQ4EFgQUcIcdzawi
I/Nu0wm5RMblkf1kPScwCgYIKoZIzj0EAwIDSAAwRQIhAL5a8yo40qP0xH1aEGsr
DHMdu9dAvPv+0HnQ+zjLa0yOAiARd+z4tissK8KEZsBtkaRFffXkJHCnXktI+HoH
tb6nAA==
-----END CERTIFICATE-----
','',1,'2026-11-25 18:58:33.837427',NULL);
INSERT INTO "issuers_issuer" VALUES('94bf2d62b3d044caa9475040e3a76e33','demo-issuing','Demo issuing','local',1,'{}',X'01BD812E67B2954952267B9697DB0DC81E5C534D7B9A0C68357BF0E9F6561F7C70A9FB308E2D37B301D83C09DBC8F186DEF6FC8F62050436042BCBA3B9591C57C8170AF6734C20C9AA6F2C9807224322A078E0A5F6C6FEFD958F2E8CC622424C2977C935C2C94CAD71C37F3640928FB74A04CB9E970DAFDD69E0246E524A3CDC46F95A14D33B9C92432C23613AFAFE43CA7947FF0331F9B678EDA48380886C22A47AEFC3213E7D4CF28542','-----BEGIN CERTIFICATE-----
MIICozCCAkigAwIBAgIUNH7ztREdJYUuUSInD9TSr8Dj/E0wCgYIKoZIzj0EAwIw
NjEVMBMGA1UECgwMY2VydGN0bCBkZW1vMR0wGwYDVQQDDBRjZXJ0Y3RsIERlbW8g
Um9vdCBDQTAeFw0yNjExMjUxODU3MzNaFw0zMTExMjQxODU3MzJaMDkxFTATBgNV
BAoMDGNlcnRjdGwgZGVtbzEgMB4GA1UEAwwXY2VydGN0bCBEZW1vIElzc3Vpbmcg
Q0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASOPLaUZk1SRq23TwU2Kon6vc7E
eXUHr1c0vUONgL1fgNFl2S1bhDHr5CdM/TZw3eNdMmVc2xYH1VByKN/5W+xto4IB
LzCCASswEgYDVR0TAQH/BAgwBgEB/wIBADAOBgNVHQ8BAf8EBAMCAYYwHQYDVR0O
BBYEFA+sglcXfm/6Q+EQP0yVNzB+Mg6zMB8GA1UdIwQYMBaAFHCHHc2sIiPzbtMJ
uUTG5ZH9ZD0nMD4GA1UdHwQ3MDUwM6AxoC+GLWh0dHA6Ly9wa2kudGVzdC8ud2Vs
bC1rbm93bi9wa2kvY3JsL2RlbW8tcm9vdDCBhAYIKwYBBQUHAQEEeDB2MDoGCCsG
AQUFBzABhi5odHRwOi8vcGtpLnRlc3QvLndlbGwta25vd24vcGtpL29jc3AvZGVt
by1yb290MDgGCCsGAQUFBzAChixodHRwOi8vcGtpLnRlc3QvLndlbGwta25vd24v
cGtpL2NhL2RlbW8tcm9vdDAKBggqhkjOPQQDAgNJADBGAiEAl8kJe7EZjgfVl+Xw
3Mxg86VcxjbHWRsAtRWNTqFguDECIQCokO4oJdeo7WMviI5P4RXvD3OPqhNkOTYj
zmkHNriDxg==
-----END CERTIFICATE-----
','-----BEGIN CERTIFICATE-----
MIIBsDCCAVagAwIBAgIUd7+toZJxd4EShQnG5S+5CjABJq4wCgYIKoZIzj0EAwIw
NjEVMBMGA1UECgwMY2VydGN0bCBkZW1vMR0wGwYDVQQDDBRjZXJ0Y3RsIERlbW8g
Um9vdCBDQTAeFw0yNjExMjUxODU3MzNaFw0zNjExMjIxODU3MzJaMDYxFTATBgNV
BAoMDGNlcnRjdGwgZGVtbzEdMBsGA1UEAwwUY2VydGN0bCBEZW1vIFJvb3QgQ0Ew
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATBD0nSZwEfo1X1vv30dluC3R0L7RFq
/ez9Gpsfohw5fxXdo93bH3jayJ6YhjTZUicIbARL3AkR0RHR7GAFzHHEo0IwQDAP
BgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIBhjAdBgNVHQ4EFgQUcIcdzawi
I/Nu0wm5RMblkf1kPScwCgYIKoZIzj0EAwIDSAAwRQIhAL5a8yo40qP0xH1aEGsr
DHMdu9dAvPv+0HnQ+zjLa0yOAiARd+z4tissK8KEZsBtkaRFffXkJHCnXktI+HoH
tb6nAA==
-----END CERTIFICATE-----
',2,'2026-11-25 18:58:33.931555','bbc78d487dc3404e9ba18e515dd62bdb');
CREATE TABLE "issuers_profile" ("id" char(32) NOT NULL PRIMARY KEY, "slug" varchar(64) NOT NULL UNIQUE, "name" varchar(150) NOT NULL, "description" text NOT NULL, "enabled" bool NOT NULL, "key_algorithms" text NOT NULL CHECK ((JSON_VALID("key_algorithms") OR "key_algorithms" IS NULL)), "max_lifetime" bigint NOT NULL, "key_usage" text NOT NULL CHECK ((JSON_VALID("key_usage") OR "key_usage" IS NULL)), "extended_key_usage" text NOT NULL CHECK ((JSON_VALID("extended_key_usage") OR "extended_key_usage" IS NULL)), "allowed_sans" text NOT NULL CHECK ((JSON_VALID("allowed_sans") OR "allowed_sans" IS NULL)), "required_sans" text NOT NULL CHECK ((JSON_VALID("required_sans") OR "required_sans" IS NULL)), "allow_wildcards" bool NOT NULL, "max_sans" integer unsigned NOT NULL CHECK ("max_sans" >= 0), "subject_attributes" text NOT NULL CHECK ((JSON_VALID("subject_attributes") OR "subject_attributes" IS NULL)), "fixed_subject" text NOT NULL CHECK ((JSON_VALID("fixed_subject") OR "fixed_subject" IS NULL)), "approval_required_for" text NOT NULL CHECK ((JSON_VALID("approval_required_for") OR "approval_required_for" IS NULL)), "is_ca" bool NOT NULL, "created_at" datetime NOT NULL, CONSTRAINT "issuers_profile_lifetime_positive" CHECK ("max_lifetime" > 0));
INSERT INTO "issuers_profile" VALUES('db73e1d649df4cea990e0b1790cea59a','ca','CA certificates','What certctl''s own CAs are listed under; nobody can request it.',0,'[]',4060800000000,'[]','[]','[]','[]',0,100,'[]','{}','[]',1,'2026-11-25 18:58:33.948387');
INSERT INTO "issuers_profile" VALUES('1d3aee0d49c541c2a5c41887535f9481','tls-server','TLS server','47 days; somebody else approves the first issuance.',1,'["ecdsa-p256", "ecdsa-p384", "rsa-2048", "ed25519"]',4060800000000,'["digitalSignature"]','["serverAuth"]','["dns:*.demo.internal"]','[]',0,100,'["CN"]','{}','["Issuance"]',0,'2026-11-25 18:58:34.009359');
INSERT INTO "issuers_profile" VALUES('0dc1569811ee44cb9ba07eb6b22dab80','tls-short','Short-lived TLS','30 minutes: noRevAvail, in no CRL and no OCSP (RFC 9608).',1,'["ecdsa-p256", "ecdsa-p384", "rsa-2048", "ed25519"]',1800000000,'["digitalSignature"]','["serverAuth"]','["dns:*.demo.internal"]','[]',0,100,'["CN"]','{}','[]',0,'2026-11-25 18:58:34.028016');
CREATE TABLE "issuers_profile_issuers" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "profile_id" char(32) NOT NULL REFERENCES "issuers_profile" ("id") DEFERRABLE INITIALLY DEFERRED, "issuer_id" char(32) NOT NULL REFERENCES "issuers_issuer" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "jobs_idempotencyrecord" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "key" varchar(128) NOT NULL, "request_digest" varchar(64) NOT NULL, "status_code" smallint unsigned NULL CHECK ("status_code" >= 0), "body" text NULL CHECK ((JSON_VALID("body") OR "body" IS NULL)), "created_at" datetime NOT NULL, "principal_id" char(32) NOT NULL REFERENCES "owners_principal" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "jobs_idempotency_key_once" UNIQUE ("principal_id", "key"));
INSERT INTO "jobs_idempotencyrecord" VALUES(1,'ddbb75e1-ca23-4dc8-ac31-bd53496229f7','34529647becc349b7c611d9f69f2123bc984232d8fb8000ff2518fa85bbfa618',201,'{"id": "23423ff0-4b26-4fcc-81ee-383f2e7c0f4a", "kind": "Issuance", "status": "AwaitingApproval", "certificate": "ca42db8e-7918-4891-ab2d-34c371115f0d", "certificate_name": "web.demo.internal", "target": null, "target_name": null, "agent": null, "version": null, "requested_by": "12723b5e-5e8d-4d14-b2a2-9e4dd9ba350b", "requested_by_name": "alice", "attempts": 0, "max_attempts": 3, "last_error": "", "lifetime": null, "created_at": "2026-11-25T18:58:51.307828Z", "scheduled_at": "2026-11-25T18:58:51.307828Z", "started_at": null, "completed_at": null, "lease_until": null, "waits_until": "2026-12-02T18:58:51.307828Z", "digest": "fde3ba01b68ce6d8dc927d4c04c4167b291595dd9d68721c4b060eae3f93b99a", "decision": null, "waiting_for": {"what": "approval", "until": "2026-12-02T18:58:51.307828Z", "detail": "An operator must decide who is neither alice, who asked for it, nor of the owner Web platform."}, "verification": "", "verification_detail": "", "warnings": []}','2026-11-25 18:58:51.192213','12723b5e5e8d4d14b2a29e4dd9ba350b');
INSERT INTO "jobs_idempotencyrecord" VALUES(2,'37a817b3-761e-4f49-897c-ead20787d828','85c1aca750f687ffed6f228180e31cd838deb9c08127b2d59fb2d42949df7109',202,'{"id": "2d23dfce-54e4-4f95-b88c-5e7d8f8b1bf8", "kind": "Renewal", "status": "Pending", "certificate": "ca42db8e-7918-4891-ab2d-34c371115f0d", "certificate_name": "web.demo.internal", "target": null, "target_name": null, "agent": null, "version": null, "requested_by": "9ecc8704-2642-4262-b2a6-280f1ed559ac", "requested_by_name": "bob", "attempts": 0, "max_attempts": 3, "last_error": "", "lifetime": null, "created_at": "2026-11-25T18:58:55.623512Z", "scheduled_at": "2026-11-25T18:58:55.623512Z", "started_at": null, "completed_at": null, "lease_until": null, "waits_until": null, "digest": "", "decision": null, "waiting_for": null, "verification": "", "verification_detail": "", "warnings": []}','2026-11-25 18:58:55.590219','9ecc870426424262b2a6280f1ed559ac');
CREATE TABLE "jobs_job" ("id" char(32) NOT NULL PRIMARY KEY, "kind" varchar(16) NOT NULL, "status" varchar(24) NOT NULL, "csr_pem" text NOT NULL, "encrypted_key" BLOB NULL, "lifetime" bigint NULL, "attempts" smallint unsigned NOT NULL CHECK ("attempts" >= 0), "max_attempts" smallint unsigned NOT NULL CHECK ("max_attempts" >= 0), "retry_delay" bigint NOT NULL, "last_error" text NOT NULL, "scheduled_at" datetime NOT NULL, "started_at" datetime NULL, "completed_at" datetime NULL, "lease_until" datetime NULL, "created_at" datetime NOT NULL, "waits_until" datetime NULL, "decided_at" datetime NULL, "decision_reason" text NOT NULL, "approved_digest" varchar(64) NOT NULL, "verification" varchar(8) NOT NULL, "verification_detail" text NOT NULL, "agent_id" char(32) NULL REFERENCES "deployments_agent" ("id") DEFERRABLE INITIALLY DEFERRED, "certificate_id" char(32) NOT NULL REFERENCES "certificates_certificate" ("id") DEFERRABLE INITIALLY DEFERRED, "decided_by_id" char(32) NULL REFERENCES "owners_principal" ("id") DEFERRABLE INITIALLY DEFERRED, "requested_by_id" char(32) NOT NULL REFERENCES "owners_principal" ("id") DEFERRABLE INITIALLY DEFERRED, "target_id" char(32) NULL REFERENCES "deployments_target" ("id") DEFERRABLE INITIALLY DEFERRED, "version_id" char(32) NULL REFERENCES "certificates_version" ("id") DEFERRABLE INITIALLY DEFERRED, "csr_by_id" char(32) NULL REFERENCES "owners_principal" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "job_status_known" CHECK ("status" IN ('Pending', 'AwaitingCSR', 'AwaitingApproval', 'Running', 'Completed', 'Failed', 'Cancelled')));
INSERT INTO "jobs_job" VALUES('23423ff04b264fcc81ee383f2e7c0f4a','Issuance','Completed','-----BEGIN CERTIFICATE REQUEST-----
MIIBBzCBrQIBADAcMRowGAYDVQQDDBF3ZWIuZGVtby5pbnRlcm5hbDBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABHwY4yIGH6iudJklhF1eSgdVoBAVugMN+8PIwJbB
BYZCnqPZTM0uFZJA8UjZTJM+FlfqsAf3HUKQSR00rA9JcJegLzAtBgkqhkiG9w0B
CQ4xIDAeMBwGA1UdEQQVMBOCEXdlYi5kZW1vLmludGVybmFsMAoGCCqGSM49BAMC
A0kAMEYCIQC4nWb1jK5Y+nAPuwYz4pEVS0P1TBJZuYGy5fAaHKBTDwIhAK7d4EMG
efh3seKYpxzWJwMHFWy3M/w/6H0OAK5QKCAC
-----END CERTIFICATE REQUEST-----',NULL,NULL,1,3,60000000,'','2026-11-25 18:58:51.307828','2026-11-25 18:58:54.543668','2026-11-25 18:58:54.723455',NULL,'2026-11-25 18:58:51.307828',NULL,'2026-11-25 18:58:51.695679','known host','fde3ba01b68ce6d8dc927d4c04c4167b291595dd9d68721c4b060eae3f93b99a','','',NULL,'ca42db8e79184891ab2d34c371115f0d','9ecc870426424262b2a6280f1ed559ac','12723b5e5e8d4d14b2a29e4dd9ba350b',NULL,'cfe8883c757e490cb83335d57749922b',NULL);
INSERT INTO "jobs_job" VALUES('fdc7176351d346dabac85610d5ee1450','Deployment','Completed','',NULL,NULL,1,3,60000000,'','2026-11-25 18:58:54.741872','2026-11-25 18:58:54.766346','2026-11-25 18:58:55.048416',NULL,'2026-11-25 18:58:54.741872',NULL,NULL,'','','','',NULL,'ca42db8e79184891ab2d34c371115f0d',NULL,'12723b5e5e8d4d14b2a29e4dd9ba350b','bf39c9d6c965496da6ab17cfa9ab5b10','cfe8883c757e490cb83335d57749922b',NULL);
INSERT INTO "jobs_job" VALUES('1c51ec4829e64051ba2ce270f14013e6','Validation','Completed','',NULL,NULL,1,3,5000000,'','2026-11-25 18:58:55.050024','2026-11-25 18:58:55.069307','2026-11-25 18:58:55.181792',NULL,'2026-11-25 18:58:55.050024',NULL,NULL,'','','success','',NULL,'ca42db8e79184891ab2d34c371115f0d',NULL,'12723b5e5e8d4d14b2a29e4dd9ba350b','bf39c9d6c965496da6ab17cfa9ab5b10','cfe8883c757e490cb83335d57749922b',NULL);
INSERT INTO "jobs_job" VALUES('2d23dfce54e44f95b88c5e7d8f8b1bf8','Renewal','Completed','-----BEGIN CERTIFICATE REQUEST-----
MIIBBzCBrQIBADAcMRowGAYDVQQDDBF3ZWIuZGVtby5pbnRlcm5hbDBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABHwY4yIGH6iudJklhF1eSgdVoBAVugMN+8PIwJbB
BYZCnqPZTM0uFZJA8UjZTJM+FlfqsAf3HUKQSR00rA9JcJegLzAtBgkqhkiG9w0B
CQ4xIDAeMBwGA1UdEQQVMBOCEXdlYi5kZW1vLmludGVybmFsMAoGCCqGSM49BAMC
A0kAMEYCIQC4nWb1jK5Y+nAPuwYz4pEVS0P1TBJZuYGy5fAaHKBTDwIhAK7d4EMG
efh3seKYpxzWJwMHFWy3M/w/6H0OAK5QKCAC
-----END CERTIFICATE REQUEST-----',NULL,NULL,1,3,60000000,'','2026-11-25 18:58:55.623512','2026-11-25 18:58:55.743574','2026-11-25 18:58:55.829196',NULL,'2026-11-25 18:58:55.623512',NULL,NULL,'','','','',NULL,'ca42db8e79184891ab2d34c371115f0d',NULL,'9ecc870426424262b2a6280f1ed559ac',NULL,'43591a2a3ae44a608ead21d919ee5514',NULL);
INSERT INTO "jobs_job" VALUES('18da0c891bdf4dd1a88b91aab5f195fb','Deployment','Completed','',NULL,NULL,1,3,60000000,'','2026-11-25 18:58:55.852832','2026-11-25 18:58:55.872305','2026-11-25 18:58:56.036755',NULL,'2026-11-25 18:58:55.852832',NULL,NULL,'','','','',NULL,'ca42db8e79184891ab2d34c371115f0d',NULL,'9ecc870426424262b2a6280f1ed559ac','bf39c9d6c965496da6ab17cfa9ab5b10','43591a2a3ae44a608ead21d919ee5514',NULL);
INSERT INTO "jobs_job" VALUES('906cca8ba56045229cce544f6fd0d72a','Validation','Completed','',NULL,NULL,1,3,5000000,'','2026-11-25 18:58:56.050682','2026-11-25 18:58:56.054146','2026-11-25 18:58:56.141093',NULL,'2026-11-25 18:58:56.050682',NULL,NULL,'','','success','',NULL,'ca42db8e79184891ab2d34c371115f0d',NULL,'9ecc870426424262b2a6280f1ed559ac','bf39c9d6c965496da6ab17cfa9ab5b10','43591a2a3ae44a608ead21d919ee5514',NULL);
CREATE TABLE "owners_apikey" ("id" char(32) NOT NULL PRIMARY KEY, "name" varchar(100) NOT NULL, "prefix" varchar(16) NOT NULL UNIQUE, "digest" varchar(64) NOT NULL, "role_cap" varchar(8) NOT NULL, "allowed_networks" text NOT NULL CHECK ((JSON_VALID("allowed_networks") OR "allowed_networks" IS NULL)), "created_at" datetime NOT NULL, "expires_at" datetime NULL, "last_used_at" datetime NULL, "disabled_at" datetime NULL, "created_by_id" char(32) NULL REFERENCES "owners_principal" ("id") DEFERRABLE INITIALLY DEFERRED, "principal_id" char(32) NOT NULL REFERENCES "owners_principal" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "owners_key_name_once" UNIQUE ("principal_id", "name"));
INSERT INTO "owners_apikey" VALUES('4d8e6dd1cd2546358825b34c0c2a829b','alice-demo','g5xonhskub','6abc329afc06c524f47d4ed8fdff5049b83622f36ba5da154cf2964fc93251a8','operator','[]','2026-11-25 18:58:29.744748',NULL,'2026-11-25 18:58:51.106002',NULL,'db8ee2e1066240c681ed6b65cba1e4b8','12723b5e5e8d4d14b2a29e4dd9ba350b');
INSERT INTO "owners_apikey" VALUES('cfafcd7671e241c0930b2010d0376961','bob-demo','gw362p4rum','c2bcf6cd35c8dd2aa6025594af8889dd8883a94653c4aeb4e9376ee8eaeab504','operator','[]','2026-11-25 18:58:31.092830',NULL,'2026-11-25 18:58:51.526002',NULL,'db8ee2e1066240c681ed6b65cba1e4b8','9ecc870426424262b2a6280f1ed559ac');
INSERT INTO "owners_apikey" VALUES('52b0fbf1e967499d8f4a5ac43c7af6ef','carol-demo','d6bj4bxw3f','f5d48d3b99fc38c124943388671be2785a070aaee394081e16d7b54c21e05fa9','admin','[]','2026-11-25 18:58:32.425174',NULL,'2026-11-25 18:58:56.784170',NULL,'db8ee2e1066240c681ed6b65cba1e4b8','18970f5725af4f2493821a5032cab008');
INSERT INTO "owners_apikey" VALUES('02d3a329c15f44c498d6921c6ab80763','victor-demo','p2gkg3i4az','31a9f323197449d56e154956f075dc47523a36160e4bbbcc555fb751a686cb6d','viewer','[]','2026-11-25 18:58:33.768563',NULL,'2026-11-25 18:58:52.277524',NULL,'db8ee2e1066240c681ed6b65cba1e4b8','61c3a1ff63f941da91ecd16d90d34056');
CREATE TABLE "owners_owner" ("id" char(32) NOT NULL PRIMARY KEY, "name" varchar(150) NOT NULL UNIQUE, "email" varchar(254) NOT NULL, "created_at" datetime NOT NULL, "team_id" char(32) NULL REFERENCES "owners_team" ("id") DEFERRABLE INITIALLY DEFERRED);
INSERT INTO "owners_owner" VALUES('09cb7fda0e054b0482632cfef0505657','PKI operations','','2026-11-25 18:58:33.859636',NULL);
INSERT INTO "owners_owner" VALUES('15c74ca6002247fc927be8349ca54af6','Web platform','web-platform@demo.internal','2026-11-25 18:58:34.051432',NULL);
CREATE TABLE "owners_owner_members" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "owner_id" char(32) NOT NULL REFERENCES "owners_owner" ("id") DEFERRABLE INITIALLY DEFERRED, "principal_id" char(32) NOT NULL REFERENCES "owners_principal" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "owners_principal" ("password" varchar(128) NOT NULL, "last_login" datetime NULL, "is_superuser" bool NOT NULL, "username" varchar(150) NOT NULL UNIQUE, "first_name" varchar(150) NOT NULL, "last_name" varchar(150) NOT NULL, "email" varchar(254) NOT NULL, "is_staff" bool NOT NULL, "is_active" bool NOT NULL, "date_joined" datetime NOT NULL, "id" char(32) NOT NULL PRIMARY KEY, "kind" varchar(8) NOT NULL);
INSERT INTO "owners_principal" VALUES('!gbbD01In8EbUlRZWnX6dKz9i2qjoT7JVL6aXYovQ',NULL,0,'system','','','',0,1,'2026-11-25 18:58:28.064447','db8ee2e1066240c681ed6b65cba1e4b8','system');
INSERT INTO "owners_principal" VALUES('pbkdf2_sha256$1000000$YbpTs1j8Yc2nrWTCMxEcqo$6rkwwHqIrOty+z8z8AqRaVYENXChjGYf6sC99Q9S9WM=',NULL,0,'alice','Alice','','alice@demo.internal',1,1,'2026-11-25 18:58:28.078127','12723b5e5e8d4d14b2a29e4dd9ba350b','human');
INSERT INTO "owners_principal" VALUES('pbkdf2_sha256$1000000$mcxIWEZS1iav9MduhZ2Su1$zQYXJD6hv78EdhK6+zZ51ZqTKAkeWc3DQ5+g9dXwlZQ=',NULL,0,'bob','Bob','','bob@demo.internal',1,1,'2026-11-25 18:58:29.764858','9ecc870426424262b2a6280f1ed559ac','human');
INSERT INTO "owners_principal" VALUES('pbkdf2_sha256$1000000$LpPsngUf9ECv8hfpUdnLoq$YVFirYwUWv6DqfJ1mJzUABlrUNk2dHH4UI99Rfvo8zg=',NULL,0,'carol','Carol','','carol@demo.internal',1,1,'2026-11-25 18:58:31.095464','18970f5725af4f2493821a5032cab008','human');
INSERT INTO "owners_principal" VALUES('pbkdf2_sha256$1000000$ZqrwFMjgFluv8CKTzIP1KQ$ibgKhrJV4n35Lp/W2AI/hlb4KY6iRDwUifXpXvOVvlY=',NULL,0,'victor','Victor','','victor@demo.internal',1,1,'2026-11-25 18:58:32.448132','61c3a1ff63f941da91ecd16d90d34056','human');
CREATE TABLE "owners_principal_groups" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "principal_id" char(32) NOT NULL REFERENCES "owners_principal" ("id") DEFERRABLE INITIALLY DEFERRED, "group_id" integer NOT NULL REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED);
INSERT INTO "owners_principal_groups" VALUES(1,'12723b5e5e8d4d14b2a29e4dd9ba350b',2);
INSERT INTO "owners_principal_groups" VALUES(2,'9ecc870426424262b2a6280f1ed559ac',2);
INSERT INTO "owners_principal_groups" VALUES(3,'18970f5725af4f2493821a5032cab008',3);
INSERT INTO "owners_principal_groups" VALUES(4,'61c3a1ff63f941da91ecd16d90d34056',1);
CREATE TABLE "owners_principal_user_permissions" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "principal_id" char(32) NOT NULL REFERENCES "owners_principal" ("id") DEFERRABLE INITIALLY DEFERRED, "permission_id" integer NOT NULL REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "owners_team" ("id" char(32) NOT NULL PRIMARY KEY, "name" varchar(100) NOT NULL UNIQUE, "created_at" datetime NOT NULL);
CREATE TABLE "owners_team_members" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "team_id" char(32) NOT NULL REFERENCES "owners_team" ("id") DEFERRABLE INITIALLY DEFERRED, "principal_id" char(32) NOT NULL REFERENCES "owners_principal" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE UNIQUE INDEX "django_content_type_app_label_model_76bd3d3b_uniq" ON "django_content_type" ("app_label", "model");
CREATE UNIQUE INDEX "auth_group_permissions_group_id_permission_id_0cd325b0_uniq" ON "auth_group_permissions" ("group_id", "permission_id");
CREATE INDEX "auth_group_permissions_group_id_b120cbf9" ON "auth_group_permissions" ("group_id");
CREATE INDEX "auth_group_permissions_permission_id_84c5c92e" ON "auth_group_permissions" ("permission_id");
CREATE UNIQUE INDEX "auth_permission_content_type_id_codename_01ab375a_uniq" ON "auth_permission" ("content_type_id", "codename");
CREATE INDEX "auth_permission_content_type_id_2f476e4b" ON "auth_permission" ("content_type_id");
CREATE UNIQUE INDEX "owners_principal_groups_principal_id_group_id_0cc193af_uniq" ON "owners_principal_groups" ("principal_id", "group_id");
CREATE INDEX "owners_principal_groups_principal_id_80dbcfe5" ON "owners_principal_groups" ("principal_id");
CREATE INDEX "owners_principal_groups_group_id_a90cbf6c" ON "owners_principal_groups" ("group_id");
CREATE UNIQUE INDEX "owners_principal_user_permissions_principal_id_permission_id_9397f972_uniq" ON "owners_principal_user_permissions" ("principal_id", "permission_id");
CREATE INDEX "owners_principal_user_permissions_principal_id_dfebc7f1" ON "owners_principal_user_permissions" ("principal_id");
CREATE INDEX "owners_principal_user_permissions_permission_id_ba20f583" ON "owners_principal_user_permissions" ("permission_id");
CREATE UNIQUE INDEX "owners_team_members_team_id_principal_id_6a728014_uniq" ON "owners_team_members" ("team_id", "principal_id");
CREATE INDEX "owners_team_members_team_id_e041304e" ON "owners_team_members" ("team_id");
CREATE INDEX "owners_team_members_principal_id_67d986ac" ON "owners_team_members" ("principal_id");
CREATE INDEX "owners_owner_team_id_f4340937" ON "owners_owner" ("team_id");
CREATE UNIQUE INDEX "owners_owner_members_owner_id_principal_id_6d7a1331_uniq" ON "owners_owner_members" ("owner_id", "principal_id");
CREATE INDEX "owners_owner_members_owner_id_1d457465" ON "owners_owner_members" ("owner_id");
CREATE INDEX "owners_owner_members_principal_id_340a9838" ON "owners_owner_members" ("principal_id");
CREATE INDEX "owners_apikey_created_by_id_a827f2ca" ON "owners_apikey" ("created_by_id");
CREATE INDEX "owners_apikey_principal_id_534b3bef" ON "owners_apikey" ("principal_id");
CREATE INDEX "django_admin_log_content_type_id_c4bce8eb" ON "django_admin_log" ("content_type_id");
CREATE INDEX "django_admin_log_user_id_c564eba6" ON "django_admin_log" ("user_id");
CREATE INDEX "audit_event_at_51e4e402" ON "audit_event" ("at");
CREATE INDEX "audit_event_action_71fc5cf8" ON "audit_event" ("action");
CREATE INDEX "audit_subject" ON "audit_event" ("subject_type", "subject_id", "sequence" DESC);
CREATE INDEX "audit_actor" ON "audit_event" ("actor_id", "sequence" DESC);
CREATE INDEX "audit_event_actor_id_fdb5de2b" ON "audit_event" ("actor_id");
CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event
BEGIN SELECT RAISE(ABORT, 'audit events are append-only: UPDATE is refused'); END;
CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event
BEGIN SELECT RAISE(ABORT, 'audit events are append-only: DELETE is refused'); END;
CREATE INDEX "axes_accessattempt_user_agent_ad89678b" ON "axes_accessattempt" ("user_agent");
CREATE INDEX "axes_accessattempt_ip_address_10922d9c" ON "axes_accessattempt" ("ip_address");
CREATE INDEX "axes_accessattempt_username_3f2d4ca0" ON "axes_accessattempt" ("username");
CREATE UNIQUE INDEX "axes_accessattempt_username_ip_address_user_agent_8ea22282_uniq" ON "axes_accessattempt" ("username", "ip_address", "user_agent");
CREATE INDEX "axes_accessfailurelog_user_agent_ea145dda" ON "axes_accessfailurelog" ("user_agent");
CREATE INDEX "axes_accessfailurelog_ip_address_2e9f5a7f" ON "axes_accessfailurelog" ("ip_address");
CREATE INDEX "axes_accessfailurelog_username_a8b7e8a4" ON "axes_accessfailurelog" ("username");
CREATE INDEX "axes_accesslog_user_agent_0e659004" ON "axes_accesslog" ("user_agent");
CREATE INDEX "axes_accesslog_ip_address_86b417e5" ON "axes_accesslog" ("ip_address");
CREATE INDEX "axes_accesslog_username_df93064b" ON "axes_accesslog" ("username");
CREATE UNIQUE INDEX "issuers_profile_issuers_profile_id_issuer_id_b43aa86b_uniq" ON "issuers_profile_issuers" ("profile_id", "issuer_id");
CREATE INDEX "issuers_profile_issuers_profile_id_43f00e7d" ON "issuers_profile_issuers" ("profile_id");
CREATE INDEX "issuers_profile_issuers_issuer_id_0c822176" ON "issuers_profile_issuers" ("issuer_id");
CREATE INDEX "issuers_issuer_parent_id_5ad29814" ON "issuers_issuer" ("parent_id");
CREATE INDEX "certificates_crl_issuer_id_5bef29d4" ON "certificates_crl" ("issuer_id");
CREATE INDEX "certificates_version_not_after_3b331324" ON "certificates_version" ("not_after");
CREATE INDEX "certificates_version_key_fingerprint_d8a916c2" ON "certificates_version" ("key_fingerprint");
CREATE INDEX "certificates_version_certificate_id_36f3ee5b" ON "certificates_version" ("certificate_id");
CREATE INDEX "certificates_version_issuer_id_72049e81" ON "certificates_version" ("issuer_id");
CREATE INDEX "versions_newest" ON "certificates_version" ("created_at" DESC, "id");
CREATE INDEX "certificates_ocspresponse_issuer_id_39768f3d" ON "certificates_ocspresponse" ("issuer_id");
CREATE INDEX "certificates_ocspresponse_version_id_ec24e8b7" ON "certificates_ocspresponse" ("version_id");
CREATE INDEX "certificates_certificate_environment_8cf68b3e" ON "certificates_certificate" ("environment");
CREATE INDEX "certificates_certificate_issuer_id_624ed33e" ON "certificates_certificate" ("issuer_id");
CREATE INDEX "certificates_certificate_owner_id_0460324c" ON "certificates_certificate" ("owner_id");
CREATE INDEX "certificates_certificate_profile_id_8f44c10c" ON "certificates_certificate" ("profile_id");
CREATE INDEX "certificates_certificate_team_id_e1ef3d75" ON "certificates_certificate" ("team_id");
CREATE INDEX "certificates_certificate_renewal_policy_id_def45eeb" ON "certificates_certificate" ("renewal_policy_id");
CREATE INDEX "certs_newest" ON "certificates_certificate" ("created_at" DESC, "id");
CREATE INDEX "certs_status" ON "certificates_certificate" ("status", "created_at" DESC);
CREATE INDEX "certs_name" ON "certificates_certificate" ("name");
CREATE INDEX "certificates_revocation_revoked_by_id_eecc3c55" ON "certificates_revocation" ("revoked_by_id");
CREATE INDEX "deployments_target_agent_id_27f97edf" ON "deployments_target" ("agent_id");
CREATE INDEX "deployments_deployment_certificate_id_91771ef0" ON "deployments_deployment" ("certificate_id");
CREATE INDEX "deployments_deployment_version_id_eee527e6" ON "deployments_deployment" ("version_id");
CREATE INDEX "deployments_deployment_target_id_42b7fde2" ON "deployments_deployment" ("target_id");
CREATE INDEX "jobs_idempotencyrecord_created_at_830971a1" ON "jobs_idempotencyrecord" ("created_at");
CREATE INDEX "jobs_idempotencyrecord_principal_id_47311a8e" ON "jobs_idempotencyrecord" ("principal_id");
CREATE INDEX "jobs_job_agent_id_b5ee72ec" ON "jobs_job" ("agent_id");
CREATE INDEX "jobs_job_certificate_id_2111082d" ON "jobs_job" ("certificate_id");
CREATE INDEX "jobs_job_decided_by_id_4a86c3dc" ON "jobs_job" ("decided_by_id");
CREATE INDEX "jobs_job_requested_by_id_b12e9296" ON "jobs_job" ("requested_by_id");
CREATE INDEX "jobs_job_target_id_fe7a45b4" ON "jobs_job" ("target_id");
CREATE INDEX "jobs_job_version_id_ff94d856" ON "jobs_job" ("version_id");
CREATE INDEX "job_due" ON "jobs_job" ("scheduled_at", "id") WHERE ("agent_id" IS NULL AND "status" = 'Pending');
CREATE INDEX "job_failed" ON "jobs_job" ("scheduled_at") WHERE "status" = 'Failed';
CREATE INDEX "job_running" ON "jobs_job" ("lease_until") WHERE "status" = 'Running';
CREATE INDEX "job_newest" ON "jobs_job" ("created_at" DESC, "id");
CREATE INDEX "job_status_newest" ON "jobs_job" ("status", "created_at" DESC);
CREATE UNIQUE INDEX "job_one_open_signing" ON "jobs_job" ("certificate_id") WHERE ("kind" IN ('Issuance', 'Renewal') AND "status" IN ('Pending', 'AwaitingCSR', 'AwaitingApproval', 'Running'));
CREATE UNIQUE INDEX "job_one_open_at_target" ON "jobs_job" ("certificate_id", "kind", "target_id") WHERE ("status" IN ('Pending', 'AwaitingCSR', 'AwaitingApproval', 'Running') AND "target_id" IS NOT NULL);
CREATE UNIQUE INDEX "job_one_open_revocation" ON "jobs_job" ("version_id") WHERE ("kind" = 'Revocation' AND "status" IN ('Pending', 'AwaitingCSR', 'AwaitingApproval', 'Running'));
CREATE INDEX "jobs_job_csr_by_id_9d0f9b0b" ON "jobs_job" ("csr_by_id");
CREATE INDEX "django_session_expire_date_a5c62663" ON "django_session" ("expire_date");
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('django_migrations',40);
INSERT INTO "sqlite_sequence" VALUES('django_content_type',28);
INSERT INTO "sqlite_sequence" VALUES('auth_permission',107);
INSERT INTO "sqlite_sequence" VALUES('auth_group',3);
INSERT INTO "sqlite_sequence" VALUES('django_admin_log',0);
INSERT INTO "sqlite_sequence" VALUES('axes_accessattempt',0);
INSERT INTO "sqlite_sequence" VALUES('axes_accesslog',0);
INSERT INTO "sqlite_sequence" VALUES('certificates_crl',3);
INSERT INTO "sqlite_sequence" VALUES('certificates_ocspresponse',2);
INSERT INTO "sqlite_sequence" VALUES('jobs_idempotencyrecord',2);
INSERT INTO "sqlite_sequence" VALUES('auth_group_permissions',285);
INSERT INTO "sqlite_sequence" VALUES('owners_principal_groups',4);
INSERT INTO "sqlite_sequence" VALUES('audit_chainhead',1);
COMMIT;
