"""Controllers are found by every method that applies, and a failure is explained."""

import dataclasses
import json
import re
import time

import cldap
import logons
import nbns
from capture import Capture
from labtest import LabTest, domain_section, lab, plan
from postern import listen_section


class LabAnswersTest(LabTest):
    """What the peers answer by themselves."""

    def test_ad_controller_answers_a_cldap_ping(self):
        self.assertIsNotNone(cldap.ping(plan.AD.address, plan.AD.dns_name, box=lab.client))

    def test_wins_and_broadcast_know_the_nt4_domain(self):
        for address in (plan.NT4.address, plan.BROADCAST):
            answer = nbns.query(address, plan.NT4.name, 0x1C, box=lab.client, seconds=1)
            self.assertIn(plan.NT4.address, [each for _, each in answer.addresses])


class FindTest(LabTest):
    def found(self, domain, *sections, **options):
        postern = self.agent(*sections, **options)
        done = postern.run("find", domain.name)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(domain.address, done.stdout)
        return postern, done.stdout

    def test_ad_by_srv_records_and_cldap(self):
        section = domain_section(plan.AD, controllers=None, dns_name=plan.AD.dns_name)
        with Capture(lab, lab.gate) as wire:
            _, shown = self.found(plan.AD, section)
        protocols = wire.count().protocols
        self.assertIn("DNS", protocols)
        self.assertIn("CLDAP", protocols)
        self.assertRegex(shown, r"(?i)srv")
        self.assertRegex(shown, r"(?i)cldap")

    def test_a_domain_has_name_servers_of_its_own(self):
        section = domain_section(plan.AD, controllers=None, dns_name=plan.AD.dns_name,
                                 name_servers=plan.NT4.address)    # which serves no DNS
        with Capture(lab, lab.gate) as wire:
            done = self.agent(section).run("find", plan.AD.name)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        asked = {frame.destination for frame in wire.count().frames
                 if frame.protocol == "DNS"}
        self.assertEqual(asked, {plan.NT4.address})

    def test_ad_by_fixed_list_asks_no_dns(self):
        with Capture(lab, lab.gate) as wire:
            self.found(plan.AD, domain_section(plan.AD))
        self.assertNotIn("DNS", wire.count().protocols)

    def test_nt4_by_wins(self):
        with Capture(lab, lab.gate) as wire:
            self.found(plan.NT4, domain_section(plan.NT4, controllers=None),
                       listen_section(lab.gate.address))
        asked = wire.count().only(lambda frame: frame.destination == plan.NT4.address
                                  and frame.protocol == "NBNS" and "NT4LAB<1" in frame.info)
        self.assertTrue(asked.frames, wire.count().listing())

    def test_nt4_by_broadcast(self):
        with Capture(lab, lab.gate) as wire:
            self.found(plan.NT4, domain_section(plan.NT4, controllers=None),
                       listen_section(lab.gate.address, wins_server=None))
        asked = wire.count().only(lambda frame: frame.destination == plan.BROADCAST
                                  and frame.protocol == "NBNS" and "NT4LAB<1" in frame.info)
        self.assertTrue(asked.frames, wire.count().listing())

    def test_logon_finds_its_controller_by_name(self):
        section = domain_section(plan.NT4, controllers=None)
        postern = self.agent(section, listen_section(lab.gate.address))
        attempt = logons.by_ntlmv2(plan.NT4.name, "alice", plan.PASSWORD, "GATE1")
        self.assertVerdict(postern.ntlm_auth(*attempt.words), 0, attempt.key)

    def test_prints_json_on_request(self):
        postern, _ = self.found(plan.AD, domain_section(plan.AD))
        json.loads(postern.run("find", plan.AD.name, "--json", check=True).stdout)
        json.loads(postern.run("status", "--json", check=True).stdout)

    def test_says_what_did_not_answer(self):
        lab.ad.unplug()
        self.addCleanup(lab.ad.plug)
        postern = self.agent(domain_section(plan.AD, deadline="1s"))
        done = postern.run("find", plan.AD.name)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertIn(plan.AD.address, done.stdout)

    def test_chosen_controller_and_port_are_remembered_across_restarts(self):
        postern = self.agent(domain_section(plan.AD))
        attempt = logons.by_mschapv2(plan.AD.name, "alice", plan.PASSWORD, "GATE1")
        self.assertVerdict(postern.ntlm_auth(*attempt.words), 0, attempt.key)
        postern.stop()
        with Capture(lab, lab.gate) as wire:
            postern.start()
            self.assertVerdict(postern.ntlm_auth(*attempt.words), 0, attempt.key)
        mapper = wire.count().only(lambda frame: frame.protocol == "EPM")
        self.assertFalse(mapper.frames, wire.count().listing())


class ExplainTest(LabTest):
    ROW = re.compile(r"^  (?:\d+\. )?(\S.*?) +(\d+) +(\d+) +([\d.]+)  ?(.*)$", re.MULTILINE)

    def test_shows_every_step_with_its_cost_beside_the_documented_one(self):
        for domain in plan.DOMAINS.values():
            with self.subTest(domain=domain.name):
                postern = self.agent(domain_section(domain))
                done = postern.run("explain", domain.name, "alice", "--report",
                                   input=plan.PASSWORD + "\n")
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                for word in ("discovery", "connect", "bind", "authenticate", "seal", "logon",
                             "frames", "bytes"):
                    self.assertIn(word, done.stdout.lower())
                rows = self.ROW.findall(done.stdout)
                sums = [row for row in rows if row[0] == "all"]
                self.assertEqual([row[4] for row in sums[1:]],
                                 ["F6: 20 frames, 3,700 bytes, 200 ms",
                                  "F7: 2 frames, 942 bytes, 13 ms"])
                self.assertEqual(sums[2][1], "2", done.stdout)
                for row in rows:
                    self.assertGreater(int(row[1]), 0, done.stdout)

    def test_programs_read_the_same_as_json(self):
        postern = self.agent(domain_section(plan.NT4))
        postern.until_logon(logons.by_mschapv2(
            plan.NT4.name, "alice", plan.PASSWORD, "GATE1").words)
        done = postern.run("explain", plan.NT4.name, "alice", "--json", input=plan.PASSWORD + "\n")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        found = json.loads(done.stdout)
        self.assertTrue(found["succeeded"])
        self.assertEqual(found["chapters"][2]["frames"], 2)
        for chapter in found["chapters"]:
            self.assertEqual(sum(step["frames"] for step in chapter["steps"]), chapter["frames"])
            self.assertEqual({step["outcome"] for step in chapter["steps"]}, {"done"})
        done = postern.run("explain", plan.NT4.name, "wanda", "--json", input="not hers\n")
        self.assertEqual(done.returncode, 1)
        found = json.loads(done.stdout)
        self.assertFalse(found["succeeded"])
        self.assertIn("WRONG_PASSWORD", found["outcome"])
        self.assertEqual(found["chapters"][1]["steps"][-1]["outcome"], "failed")

    def test_the_report_tells_what_the_wire_saw(self):
        for domain in plan.DOMAINS.values():
            with self.subTest(domain=domain.name):
                postern = self.agent(domain_section(domain))
                postern.logon(domain.name, "alice", plan.PASSWORD, check=True)
                with Capture(lab, lab.gate) as wire:
                    done = postern.run("explain", domain.name, "alice",
                                       input=plan.PASSWORD + "\n")
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                sums = [row for row in self.ROW.findall(done.stdout) if row[0] == "all"]
                told = sum(int(row[2]) for row in sums)
                # The channel of before ends meanwhile, which is none of the new one's.
                seen = wire.count().between(lab.gate.address, domain.address)
                self.assertAlmostEqual(told, seen.bytes_without_options, delta=600)

    def test_writes_a_capture_that_analysers_open(self):
        for domain, seen in ((plan.AD, "cldap"), (plan.NT4, "nbss:smb:dcerpc")):
            with self.subTest(domain=domain.name):
                postern = self.agent(domain_section(domain))
                path = postern.folder / "explained.pcap"
                done = postern.run("explain", domain.name, "--pcap", path)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                read = lab.gate.run(
                    "tshark", "-r", path, "-o", "ip.check_checksum:TRUE",
                    "-o", "tcp.check_checksum:TRUE", "-T", "fields", "-e", "frame.protocols",
                    "-e", "_ws.expert.message", check=True)
                self.assertIn(seen, read.stdout)
                self.assertNotIn("malformed", read.stdout.lower())
                self.assertNotIn("Bad checksum", read.stdout)

    def test_names_a_wrong_machine_secret_and_the_remedy(self):
        postern = self.agent(domain_section(plan.AD), secrets={plan.AD.name: "not the secret"})
        done = postern.run("explain", plan.AD.name)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("secret import", done.stdout + done.stderr)

    def test_names_a_missing_secret_at_once(self):
        postern = self.agent(domain_section(plan.AD), secrets={})
        before = time.monotonic()
        done = postern.run("explain", plan.AD.name)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertIn(f"no secret; run `postern secret import {plan.AD.name}`",
                      done.stdout + done.stderr)
        self.assertLess(time.monotonic() - before, 5)

    def test_a_refused_user_is_tried_once_only(self):
        postern = self.agent(domain_section(plan.NT4))
        # A PDC that nobody asked for a while needs seconds for its first pipe.
        postern.until_logon(logons.by_mschapv2(
            plan.NT4.name, "alice", plan.PASSWORD, "GATE1").words)
        done = postern.run("explain", plan.NT4.name, "wanda", input="not hers\n")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("WRONG_PASSWORD", done.stdout)
        self.assertNotIn("F7", done.stdout)

    def test_names_an_unreachable_controller(self):
        lab.ad.unplug()
        self.addCleanup(lab.ad.plug)
        postern = self.agent(domain_section(plan.AD, deadline="1s"))
        done = postern.run("explain", plan.AD.name)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertIn(plan.AD.address, done.stdout + done.stderr)
        self.assertIn("postern find", done.stdout + done.stderr)


class SearchTest(LabTest):
    """A domain whose controllers are gone is looked for again and again."""

    SEARCHES = 300
    MOST_KIB = 300      # so many leave 1,000 where none of their questions is forgotten

    def search(self, postern):
        done = postern.box.run(
            "sh", "-c", f'for each in $(seq {self.SEARCHES}); do "$0" explain --config "$1" '
            '"$2"; done', postern.binary, postern.config, self.gone.name, check=False)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertIn(lab.client.address, done.stdout + done.stderr)
        return postern.memory()["private"]

    def test_searches_leave_nothing_in_memory(self):
        self.gone = dataclasses.replace(plan.NT4, name="GONELAB")
        server = nbns.Server(lab.client)
        self.addCleanup(server.close)
        postern = self.agent(
            domain_section(self.gone, controllers=None, wins_server=server.address, answer="no"),
            secrets={self.gone.name: plan.MACHINE_PASSWORD})
        before = self.search(postern)
        self.assertLess(self.search(postern) - before, self.MOST_KIB)


class DecodeTest(LabTest):
    def test_capture_of_a_logon_is_decoded(self):
        postern = self.agent(domain_section(plan.AD))
        attempt = logons.by_mschapv2(plan.AD.name, "alice", plan.PASSWORD, "GATE1")
        with Capture(lab, lab.gate, keep_as="decode") as wire:
            postern.stop()
            postern.start()
            postern.ntlm_auth(*attempt.words)
        self.addCleanup(wire.path.unlink)
        done = postern.box.run(postern.binary, "decode", wire.path, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?i)NetrServerAuthenticate3")
