/// What came and what became of it, one number for each outcome.
package struct ResponderCounters: Equatable, Sendable {
    package var nameQueriesAnswered = 0
    package var nodeStatusAnswered = 0
    package var namesDefended = 0
    package var primaryQueriesAnswered = 0
    package var lmLogonsAnswered = 0
    package var samLogonsAnswered = 0
    /// Announcements of changed domains.
    package var changesHeard = 0
    package var pausedAnswers = 0
    package var unknownUserAnswers = 0

    /// What the WINS server did.
    package var winsQueries = 0
    package var winsNegative = 0
    package var winsRegistrations = 0
    package var winsReleases = 0
    package var winsRefusals = 0
    package var winsChallenges = 0
    package var winsTakeovers = 0
    /// Registrations that came while their name was challenged, or too many were.
    package var winsBusy = 0
    /// Registrations that found no room.
    package var winsFull = 0

    /// What the browser heard and answered.
    package var announcementsHeard = 0
    package var announcementRequests = 0
    package var electionsHeard = 0
    package var backupListsAnswered = 0
    /// Announcements of impossible or foreign names, or beyond the list's limit.
    package var refusedAnnouncements = 0

    /// Our own broadcasts, heard again.
    package var ownBroadcasts = 0
    package var duplicates = 0
    package var malformedNamePackets = 0
    package var malformedDatagrams = 0
    package var malformedMailslots = 0
    package var malformedMessages = 0
    /// From an address that no sender has: broadcast, multicast, none.
    package var impossibleSources = 0
    package var refusedFragments = 0
    package var otherScopes = 0
    package var otherNames = 0
    package var otherDomains = 0
    package var otherSIDs = 0
    package var otherMailslots = 0
    /// The request wants its answer where no mailslot is.
    package var wrongReplyMailslots = 0
    package var browserMessages = 0
    /// NETLOGON messages that are not requests.
    package var otherMessages = 0
    /// Datagrams of the kinds error and query.
    package var datagramServices = 0
    /// No controller is known to be healthy, or not a primary one that was asked for.
    package var withoutController = 0
    /// Demands to give up a name, which nobody here asked for.
    package var unaskedDemands = 0
    package var unexpectedResponses = 0

    package init() {}
}

extension ResponderCounters {
    /// One counter with its name, for programs, and its words, for people.
    package struct Count: Sendable {
        package var name: StaticString
        package var words: StaticString
        package var count: Int

        init(_ name: StaticString, _ words: StaticString, _ count: Int) {
            self.name = name
            self.words = words
            self.count = count
        }
    }

    package var answered: [Count] {
        [
            Count("nameQueries", "name queries", nameQueriesAnswered),
            Count("nodeStatus", "node status requests", nodeStatusAnswered),
            Count("namesDefended", "claims to our names", namesDefended),
            Count("primaryQueries", "GETDC", primaryQueriesAnswered),
            Count("lmLogons", "LM LOGON", lmLogonsAnswered),
            Count("samLogons", "SAM LOGON", samLogonsAnswered),
            Count("paused", "told that logons are paused", pausedAnswers),
            Count("unknownUser", "told that the user is unknown", unknownUserAnswers),
            Count("changesHeard", "changes announced to us", changesHeard),
            Count("winsQueries", "WINS queries", winsQueries),
            Count("winsNegative", "WINS queries for names that nobody has", winsNegative),
            Count("winsRegistrations", "WINS registrations", winsRegistrations),
            Count("winsReleases", "WINS releases", winsReleases),
            Count("winsRefusals", "WINS refusals", winsRefusals),
            Count("winsChallenges", "WINS challenges", winsChallenges),
            Count("winsTakeovers", "WINS names taken over", winsTakeovers),
            Count("announcementsHeard", "announcements", announcementsHeard),
            Count("announcementRequests", "announcement requests", announcementRequests),
            Count("electionsHeard", "election calls", electionsHeard),
            Count("backupLists", "backup list requests", backupListsAnswered),
        ]
    }

    package var ignored: [Count] {
        [
            Count("ownBroadcasts", "broadcasts of our own", ownBroadcasts),
            Count("duplicates", "duplicates", duplicates),
            Count("malformedNamePackets", "malformed name packets", malformedNamePackets),
            Count("malformedDatagrams", "malformed datagrams", malformedDatagrams),
            Count("malformedMailslots", "malformed mailslot writes", malformedMailslots),
            Count("malformedMessages", "malformed NETLOGON messages", malformedMessages),
            Count("impossibleSources", "from impossible addresses", impossibleSources),
            Count("refusedFragments", "fragments that fit nothing", refusedFragments),
            Count("otherScopes", "of other scopes", otherScopes),
            Count("otherNames", "for other names", otherNames),
            Count("otherDomains", "for other domains", otherDomains),
            Count("otherSIDs", "for other domains' SIDs", otherSIDs),
            Count("otherMailslots", "for other mailslots", otherMailslots),
            Count("wrongReplyMailslots", "wanting answers outside mailslots", wrongReplyMailslots),
            Count("browserMessages", "browser messages", browserMessages),
            Count("otherMessages", "NETLOGON messages of other kinds", otherMessages),
            Count("datagramServices", "datagram errors and queries", datagramServices),
            Count("withoutController", "while no controller was known", withoutController),
            Count("unaskedDemands", "demands to give up names", unaskedDemands),
            Count("unexpectedResponses", "responses to nothing", unexpectedResponses),
            Count("winsBusy", "registrations during challenges", winsBusy),
            Count("winsFull", "registrations without room", winsFull),
            Count("refusedAnnouncements", "announcements not believed", refusedAnnouncements),
        ]
    }
}
